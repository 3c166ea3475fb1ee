"""JRN701: a definition that nothing in the project speaks of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from journeylang.diagnostics.codes.unused import UNUSED_DEFINITION
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import below
from journeylang.syntax import nodes

_WORD = re.compile(r"\w+")
_Defined = (
    nodes.Metric
    | nodes.Segment
    | nodes.Fragment
    | nodes.Policy
    | nodes.Promo
    | nodes.Catalog
    | nodes.Topic
    | nodes.ConsentTable
    | nodes.ConsentWhen
)


def unused_definition(checked: Checked) -> Iterator[Diagnostic]:
    """Of what is defined to be used in the project.

    Tables, fields and channels are not among it: `init` binds all that there are, and SQL may
    ask for them. Neither is a segment or metric with a title: that is made to be read, in reports
    and in the SQL of `journey compile`. A name that occurs anywhere else, whatever it means there,
    is taken for a use.
    """
    spoken: Counter[str] = Counter()
    defined: list[tuple[str, _Defined]] = []
    for file in checked.files:
        for node in below(file):
            match node:
                case nodes.Name():
                    spoken[node.text] += 1
                case nodes.SqlHatch():
                    spoken.update(_WORD.findall(node.text))
                case nodes.Metric() if node.title is None:
                    defined.append(("metric", node))
                case nodes.Segment() if node.title is None:
                    defined.append(("segment", node))
                case nodes.Fragment():
                    defined.append(("fragment", node))
                case nodes.Policy():
                    defined.append(("policy", node))
                case nodes.Promo():
                    defined.append(("promo", node))
                case nodes.Catalog():
                    defined.append(("catalog", node))
                case nodes.Topic():
                    defined.append(("topic", node))
                case nodes.ConsentTable() | nodes.ConsentWhen():
                    defined.append(("consent", node))
                case _:
                    pass
    policies = len(checked.declared.policies)
    for kind, node in defined:
        # The only policy holds without being named.
        if spoken[node.name.text] > 1 or (kind == "policy" and policies == 1):
            continue
        yield Diagnostic(
            code=UNUSED_DEFINITION,
            message=f"nothing uses the {kind} `{node.name.text}`",
            span=node.name.span,
            help="take it out, or use it",
        )


RULE = Rule(code=UNUSED_DEFINITION, find=unused_definition)
