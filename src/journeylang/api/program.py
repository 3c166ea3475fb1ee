"""From a checked project to its plan."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.flow import TOO_MANY_WAYS
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.project import LoadedProject
from journeylang.model.journey import Block
from journeylang.plan.build import build
from journeylang.plan.operations import Program
from journeylang.plan.ways import TooManyWaysError


def template_entry_fields(loaded: LoadedProject) -> dict[str, tuple[str, ...]]:
    """Per journey, the fields of `entry` that its templates use."""
    fields: dict[str, dict[str, None]] = {}
    for journey in loaded.project.journeys.values():
        mine = fields.setdefault(journey.name, {})
        for template, channel in sent_templates(journey.body):
            use = loaded.uses.get((template, channel))
            mine.update(dict.fromkeys(use.entry_fields if use is not None else ()))
    return {name: tuple(f for f in found if f != "at") for name, found in fields.items()}


def sent_templates(block: Block) -> Iterator[tuple[str, str]]:
    """(template, channel) of every candidate below a block."""
    from journeylang.analysis.messages import sends

    for send in sends(block):
        for candidate in send.candidates:
            yield candidate.template, candidate.channel


def compile_program(loaded: LoadedProject) -> Outcome[Program]:
    """The plan of a checked project, numbered as in a new database."""
    try:
        return Outcome(value=build(loaded.project, None, template_entry_fields(loaded)))
    except TooManyWaysError as error:
        return Outcome(value=None, diagnostics=(too_many_ways(error),))


def too_many_ways(error: TooManyWaysError) -> Diagnostic:
    return Diagnostic(
        code=TOO_MANY_WAYS,
        message=f"journey `{error.journey.name}` has too many ways between two waits",
        span=error.journey.span,
        help="put a wait between its `if`s, or decide in a segment",
    )
