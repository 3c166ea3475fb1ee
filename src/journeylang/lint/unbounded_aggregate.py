"""JRN602: an aggregate that reads all of a table, over and over."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.portability import UNBOUNDED_AGGREGATE
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes


def unbounded_aggregate(checked: Checked) -> Iterator[Diagnostic]:
    """Of events of whose tables it is not known which rows are new.

    A table that is `append only`, or says when a row was changed, is read from where the last
    tick ended. The runtime's own ledger is kept in order by the runtime.
    """
    for aggregate in checked.written(nodes.Aggregate):
        event = checked.declared.events.get(aggregate.event.name.text)
        if event is None or aggregate.windows or _is_incremental(event):
            continue
        name = event.name.text
        yield Diagnostic(
            code=UNBOUNDED_AGGREGATE,
            message=f"all rows of `{name}` are read at every look",
            span=aggregate.span,
            help=f"bound it (`{name} within 730d`), or say in the event how its rows change:"
            " `append only`, or `changed at` a column",
        )


def _is_incremental(event: nodes.Event) -> bool:
    return any(isinstance(item, nodes.AppendOnly | nodes.ChangedAt) for item in event.items)


RULE = Rule(code=UNBOUNDED_AGGREGATE, find=unbounded_aggregate)
