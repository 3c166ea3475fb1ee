"""Comments that say that a finding is fine."""

import pytest

from journeylang.diagnostics.codes.consent import NO_QUIET_HOURS, UNCAPPED_SEND
from journeylang.diagnostics.codes.names import UNKNOWN_NAME
from journeylang.diagnostics.codes.unused import BAD_SUPPRESSION, UNUSED_SUPPRESSION
from journeylang.diagnostics.model import Code, Diagnostic
from journeylang.lint.suppressions import suppress, suppressions
from journeylang.source import Source


def source(text: str, path: str = "journeys/a.journey") -> Source:
    return Source(path=path, text=text)


def left(text: str, *found: Diagnostic, whole: bool = True) -> list[tuple[str, str]]:
    """Code and message of what a suppressing text leaves over."""
    sources = {"journeys/a.journey": source(text)}
    return [(d.code.id, d.message) for d in suppress(found, sources, whole=whole)]


def at(text: str, words: str) -> Diagnostic:
    """An uncapped send at the words."""
    start = text.index(words)
    span = source(text).span(start, start + len(words))
    return Diagnostic(code=UNCAPPED_SEND, message="no cap", span=span)


ONE = "# journey: ignore[JRN302] one message only"


@pytest.mark.parametrize(
    "text",
    [
        f"hello: send email  {ONE}",
        f"{ONE}\nhello: send email",
        f"  {ONE}\n# more of it\nhello: send email",
        f"{ONE}\r\nhello: send email\r\n",
        f"first: wait 2d\n{ONE}\nhello: send email",
        f"hello: send email # soon {ONE}",
        "hello: send email  #journey: ignore[uncapped-send] one message only",
        "# journey: ignore[JRN303, JRN302] one message only\nhello: send email",
        "# journey: ignore[302]one message only\nhello: send email",
    ],
)
def test_it_counts_for_its_line_or_the_next(text: str) -> None:
    assert ("JRN302", "no cap") not in left(text, at(text, "hello"))


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n\nhello: send email",
        f"first: wait 2d {ONE}\nhello: send email",
        f"hello: send email\n{ONE}",
        f'first: wait "{ONE}"\nhello: send email',
        "# journey: ignore[JRN303] one message only\nhello: send email",
        "# journey: ignore[JRN302]\nhello: send email",
        "# journey: ignore one message only\nhello: send email",
        "# journey: ignored[JRN302] one message only\nhello: send email",
        "# journey welcome: ignore[JRN302] one message only\nhello: send email",
    ],
)
def test_it_does_not_count(text: str) -> None:
    assert ("JRN302", "no cap") in left(text, at(text, "hello"))


def test_a_second_finding_of_the_line_is_hidden_too() -> None:
    text = f"send first of {{ email push }} {ONE}"
    assert left(text, at(text, "email"), at(text, "push")) == []


def test_what_is_unused_is_told_with_a_fix() -> None:
    text = f"first: wait 2d\n  {ONE}\nhello: send email\n"
    sources = {"journeys/a.journey": source(text)}
    (found,) = suppress((), sources, whole=True)
    assert (found.code.id, found.message) == ("JRN702", "nothing of JRN302 is found here")
    assert found.fix is not None
    (edit,) = found.fix.edits
    assert text[: edit.span.start] + edit.text + text[edit.span.end :] == (
        "first: wait 2d\nhello: send email\n"
    )
    # Behind a statement, and of two codes.
    text = "hello: send email  # journey: ignore[JRN303, JRN302] one message only"
    sources = {"journeys/a.journey": source(text)}
    (found,) = suppress((at(text, "hello"),), sources, whole=True)
    assert found.fix is not None
    (edit,) = found.fix.edits
    assert text[: edit.span.start] + edit.text + text[edit.span.end :] == (
        "hello: send email  # journey: ignore[JRN302] one message only"
    )


def test_nothing_is_unused_where_the_rules_were_not_asked() -> None:
    assert left(f"hello: send email {ONE}", whole=False) == []


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# journey: ignore[JRN302]", "a suppression without a reason hides nothing"),
        ("# journey: ignore[JRN302]  -", "a suppression without a reason hides nothing"),
        ("# journey: ignore[] why not", "a suppression names no code"),
        ("# journey: ignore JRN302", "a suppression names no code"),
        ("# journey: ignore[JRN999] why not", "no code `JRN999`"),
        ("# journey: ignore[JRN101] why not", "JRN101 cannot be suppressed"),
        ("# journey: ignore[JRN3] why not", "no code `JRN3`"),
    ],
)
def test_what_is_no_suppression_says_so(comment: str, message: str) -> None:
    assert ("JRN703", message) in left(f"{comment}\nhello: send email")


def test_an_error_is_told_in_spite_of_it() -> None:
    text = "hello: send email  # journey: ignore[JRN101] soon to come"
    span = source(text).span(12, 17)
    unknown = Diagnostic(code=UNKNOWN_NAME, message="unknown channel `email`", span=span)
    assert left(text, unknown, whole=False) == [
        ("JRN101", "unknown channel `email`"),
        ("JRN703", "JRN101 cannot be suppressed"),
    ]


def test_templates_have_comments_of_their_own() -> None:
    text = '{# journey: ignore[JRN303] asked for at night #}\nRing, ring {{ "#" }}\n'
    template = source(text, "templates/welcome/ring.push.txt")
    (found,) = suppressions(template)
    assert (found.reason, found.line) == ("asked for at night", 2)
    ringing = Diagnostic(code=NO_QUIET_HOURS, message="rings", span=template.span(49, 53))
    assert suppress((ringing,), {template.path: template}, whole=True) == ()
    (unused,) = suppress((), {template.path: template}, whole=True)
    assert unused.fix is not None
    assert unused.fix.edits[0].span == template.span(0, text.index("Ring"))


@pytest.mark.parametrize("code", [UNUSED_SUPPRESSION, BAD_SUPPRESSION])
def test_the_examples_of_the_codes(code: Code) -> None:
    assert [found for found, _ in left(code.bad)] == [code.id]
    assert code.id not in [found for found, _ in left(code.good, *_sends(code.good))]


def _sends(text: str) -> list[Diagnostic]:
    return [at(text, "hello")] if "hello" in text else []


def test_many_comments_in_a_row_all_count_for_the_line_behind_them() -> None:
    text = "# journey: ignore[JRN302] why\n" * 3 + "\n# journey: ignore[JRN302] why\n# x\nsend"
    assert [found.line for found in suppressions(source(text))] == [0, 0, 0, 7]
    assert [found.line for found in suppressions(source(text.replace("\n\n", "\n")))] == [6] * 4
