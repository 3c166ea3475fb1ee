"""JRN701: a definition that nothing in the project speaks of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from journeylang.diagnostics.codes.unused import UNUSED_DEFINITION
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.model.tree import below
from journeylang.syntax import nodes

_WORD = re.compile(r"\w+")
_Defined = (
    nodes.Metric
    | nodes.Segment
    | nodes.Fragment
    | nodes.Policy
    | nodes.Promo
    | nodes.Topic
    | nodes.ConsentTable
    | nodes.ConsentWhen
)


def unused_definition(checked: Checked) -> Iterator[Diagnostic]:
    """Of what is defined to be used in the project.

    Tables (also catalogues), fields and channels are not among it: `init` binds all that there
    are, and SQL may ask for them. Neither is a segment or metric with a title: that is made to be
    read, in reports and in the SQL of `journey compile`. A name that occurs anywhere else, whatever
    it means there, is taken for a use.
    """
    spoken = Counter(name.text for name in checked.written(nodes.Name))
    for hatch in checked.written(nodes.SqlHatch):
        spoken.update(_WORD.findall(hatch.text))
    named = checked.declared
    defined: list[tuple[str, _Defined]] = [
        *(("metric", node) for node in named.metrics.values() if node.title is None),
        *(("segment", node) for node in named.segments.values() if node.title is None),
        *(("fragment", node) for node in named.fragments.values()),
        *(("policy", node) for node in named.policies.values()),
        *(("promo", node) for node in named.promos.values()),
        *(("topic", node) for node in named.topics.values()),
        *(
            ("consent", node)
            for name, node in named.consents.items()
            if name not in checked.settings.consents
        ),
    ]
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
    yield from _parameters(checked)


def _parameters(checked: Checked) -> Iterator[Diagnostic]:
    """Of those whose name stands nowhere else in their definition, nor in a text there."""
    for definition in checked.with_steps():
        if not definition.parameters:
            continue
        spoken: Counter[str] = Counter()
        for node in below(definition):
            match node:
                case nodes.Name():
                    spoken[node.text] += 1
                case nodes.String():
                    spoken.update(_WORD.findall(node.value))
                case nodes.SqlHatch():
                    spoken.update(_WORD.findall(node.text))
                case _:
                    pass
        for parameter in definition.parameters:
            if spoken[parameter.name.text] > 1:
                continue
            yield Diagnostic(
                code=UNUSED_DEFINITION,
                message=f"nothing in `{definition.name.text}` uses its parameter"
                f" `{parameter.name.text}`",
                span=parameter.name.span,
                help="take it out, or use it: what is given for it changes nothing",
            )


RULE = Rule(code=UNUSED_DEFINITION, find=unused_definition)
