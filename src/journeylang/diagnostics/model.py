"""What is wrong, where, and what to do about it, as values."""

from enum import StrEnum
from typing import Generic, TypeVar

from journeylang.classes import dataclass
from journeylang.source import Span

T_co = TypeVar("T_co", covariant=True)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of finding, with a name that never changes and a page that explains it.

    ``bad`` and ``good`` are whole examples in the language ``fence``: ``journey``, ``toml``,
    ``jinja``, ``sql``, ``shell`` or ``text``.
    """

    id: str
    name: str
    title: str
    why: str
    bad: str
    good: str
    severity: Severity = Severity.ERROR
    fence: str = "journey"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that helps to understand a diagnostic, and what is there."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The characters of ``span`` give way to ``text``; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What a tool may do about a finding: all of the edits, or none of them.

    ``title`` says it in the imperative (``remove the suppression``). It is ``safe`` when nobody
    is messaged otherwise than before.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. Messages begin in lower case and have no full stop.

    ``label`` is written beside the carets, ``labels`` mark further places, ``notes`` add
    facts, ``help`` says what to do. What has no place in a file has no ``span``.
    """

    code: Code
    message: str
    span: Span | None = None
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    fix: Fix | None = None
    # Always a Severity once made: the code's own, unless another one is given.
    severity: Severity = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        given: object = self.severity
        if given is None:
            object.__setattr__(self, "severity", self.code.severity)

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T_co]):
    """A value *and* what was found on the way to it.

    There may be both: a tree with holes, and the errors that made them. A value is fit for
    use without reservation only when the outcome is ``ok``.
    """

    value: T_co | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """There is a value, and no error (warnings do not count)."""
        return self.value is not None and not any(d.is_error for d in self.diagnostics)


def in_order(diagnostics: tuple[Diagnostic, ...] | list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By path and place, what has no place first; for the same place by code and message."""
    nowhere = Span("", -1, -1)
    return tuple(sorted(diagnostics, key=lambda d: (d.span or nowhere, d.code.id, d.message)))
