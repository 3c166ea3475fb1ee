"""Fixes: applied whole or not at all, one after the other where they touch."""

from pathlib import Path

import pytest

from journeylang.diagnostics.codes.names import UNKNOWN_NAME
from journeylang.diagnostics.codes.unused import UNUSED_SUPPRESSION
from journeylang.diagnostics.model import Diagnostic, Edit, Fix
from journeylang.lint.edits import line_before, line_behind
from journeylang.lint.fixes import edited, fixed
from journeylang.loading.checking import Checking
from journeylang.loading.mending import mend
from journeylang.source import Source
from tests.lint.linted import found
from tests.loading.folder import write

TEXT = "segment a = customer.email is known\nsegment b = customer in segment a\n"
PATH = "journeys/a.journey"
SOURCE = Source(path=PATH, text=TEXT)


def finding(*edits: tuple[int, int, str], safe: bool = True) -> Diagnostic:
    made = tuple(Edit(SOURCE.span(start, end), text) for start, end, text in edits)
    return Diagnostic(
        code=UNUSED_SUPPRESSION,
        message="something",
        span=made[0].span,
        fix=Fix(title="mend it", edits=made, safe=safe),
    )


def texts(*diagnostics: Diagnostic, unsafe: bool = False) -> str | None:
    return fixed(diagnostics, {PATH: SOURCE}, unsafe=unsafe).texts.get(PATH)


def test_edits_of_several_places() -> None:
    assert texts(finding((8, 9, "first")), finding((44, 45, "second"))) == (
        "segment first = customer.email is known\nsegment second = customer in segment a\n"
    )


def test_only_safe_ones_unless_asked() -> None:
    one = finding((8, 9, "first"), safe=False)
    assert texts(one) is None
    assert texts(one, unsafe=True) is not None


@pytest.mark.parametrize("second", [(8, 9, "x"), (9, 9, "x"), (5, 8, "x"), (0, 30, "x")])
def test_of_two_that_touch_the_first_is_applied(second: tuple[int, int, str]) -> None:
    result = fixed([finding((8, 9, "first")), finding(second)], {PATH: SOURCE}, unsafe=False)
    assert len(result.applied) == 1
    assert result.texts[PATH].startswith("segment first = ")


def test_all_edits_of_a_fix_or_none() -> None:
    both = finding((44, 45, "second"), (8, 9, "other"))
    result = fixed([finding((8, 9, "first")), both], {PATH: SOURCE}, unsafe=False)
    assert (len(result.applied), "second" in result.texts[PATH]) == (1, False)
    # One whose own edits touch is none.
    assert texts(finding((8, 9, "x"), (9, 9, "y"))) is None


def test_what_could_not_be_read_is_not_applied() -> None:
    broken = finding((0, 7, "segmnet"))
    result = fixed([broken, finding((44, 45, "second"))], {PATH: SOURCE}, unsafe=False)
    assert result.refused == (broken,)
    assert "second" in result.texts[PATH]
    assert "segmnet" not in result.texts[PATH]


def test_lines_end_as_in_the_file() -> None:
    source = Source(path="a.txt", text="a {\r\n  b\r\n}\r\n")
    span = source.span(7, 8)
    assert edited(source, [line_behind(source, span, "c")]) == "a {\r\n  b\r\n  c\r\n}\r\n"
    assert edited(source, [line_before(source, span, "c")]) == "a {\r\n  c\r\n  b\r\n}\r\n"


def test_lines_beside_what_is_not_alone() -> None:
    source = Source(path="a.txt", text="a { b } # so\n  c # why\n")
    assert edited(source, [line_behind(source, source.span(4, 5), "x")]).startswith("a { b x }")
    assert edited(source, [line_before(source, source.span(4, 5), "x")]).startswith("a { x b }")
    assert edited(source, [line_behind(source, source.span(15, 16), "x")]).endswith(
        "  c # why\n  x\n"
    )


JOURNEY = """policy standard {
  cap any 3 per day      # all journeys
}
journey welcome {
  owner "a@b.example"
  enter on signed_up
  goal order_placed within 14d
  hour: experiment salt "hour" {
    arm nine 50% { one: send sms }
    arm noon 50% { two: send email }
  }
  pause: wait 2d
  last: send email
}
"""


@pytest.mark.parametrize("code", ["JRN207", "JRN303", "JRN406"])
def test_the_fix_of_a_rule_does_away_with_the_finding(code: str) -> None:
    diagnostics = found(code, JOURNEY)
    assert len(diagnostics) == 1
    source = Source(path="case.journey", text=JOURNEY)
    result = fixed(diagnostics, {source.path: source}, unsafe=True)
    assert fixed(diagnostics, {source.path: source}, unsafe=False).texts == {}
    assert found(code, result.texts[source.path]) == ()


# --- into files ---------------------------------------------------------------


def everything(checking: Checking) -> tuple[Diagnostic, ...]:
    return checking.diagnostics


def test_files_are_written_until_nothing_is_left(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        journeys__more='segment one "x" = exists(signd_up)\nsegment two "y" = exists(sigend_up)\n',
    )
    file = root / "journeys" / "more.journey"
    mending = mend(root, everything, unsafe=True)
    assert (mending.count, mending.problems) == (2, ())
    assert file.read_text() == (
        'segment one "x" = exists(signed_up)\nsegment two "y" = exists(signed_up)\n'
    )
    assert mending.before.keys() == mending.after.keys() == {"journeys/more.journey"}
    assert [d for d in mending.checking.diagnostics if d.code is UNKNOWN_NAME] == []


def test_marks_and_line_ends_stay(tmp_path: Path) -> None:
    root = write(tmp_path)
    file = root / "journeys" / "more.journey"
    file.write_bytes(b'\xef\xbb\xbfsegment one "x" = exists(signd_up)\r\n# more\r\n')
    assert mend(root, everything, unsafe=True).count == 1
    assert file.read_bytes() == (b'\xef\xbb\xbfsegment one "x" = exists(signed_up)\r\n# more\r\n')


def test_when_one_file_cannot_be_written_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = 'segment {} "x" = exists(signd_up)\n'
    root = write(tmp_path, journeys__a=wrong.format("a"), journeys__b=wrong.format("b"))

    def changed_meanwhile(checking: Checking) -> tuple[Diagnostic, ...]:
        (root / "journeys" / "b.journey").write_text("# somebody else was quicker\n")
        return checking.diagnostics

    mending = mend(root, changed_meanwhile, unsafe=True)
    (problem,) = mending.problems
    assert problem.message == (
        "`journeys/b.journey` cannot be written: changed while it was checked"
    )
    assert (root / "journeys" / "a.journey").read_text() == wrong.format("a")
