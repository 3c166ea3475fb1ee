"""``journey check``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.docs.fences import ROOT
from tests.loading.folder import WELCOME, write
from tests.schemas.validation import problems


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is right, and the working folder."""
    monkeypatch.chdir(write(tmp_path))
    return tmp_path


A_WARNING = 'segment fair "At the fair" = in list "lists/fair.csv"'
NOBODY = "email\n"
WITH_POLICY = WELCOME.replace("enter", "policy standard\n  enter")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


def test_nothing_found(root: Path) -> None:
    done = check()
    assert (done.exit_code, done.output) == (0, "checked 2 files: nothing found\n")


def test_findings(root: Path) -> None:
    write(
        root,
        lists__fair_dot_csv=NOBODY,
        journeys__more=f"segment a = exists(signd_up)\n{A_WARNING}",
    )
    done = check()
    assert done.exit_code == 1
    assert (
        done.output.startswith(
            "error[JRN101]: unknown event `signd_up`\n"
            " --> journeys/more.journey:1:20\n"
            "  |\n"
            "1 | segment a = exists(signd_up)\n"
            "  |                    ^^^^^^^^ no event of this name is bound\n"
            "  |\n"
            "  = help: did you mean `signed_up`?      journey rule JRN101\n"
            "\n"
            "warning[JRN842]"
        )
        or " 1 | segment a" in done.output
    )
    assert done.output.endswith(f"\nchecked 3 files: 1 error, 1 warning{RULES_WAIT}")


def test_of_very_many_findings_the_first_errors_are_shown_as_text(root: Path) -> None:
    segments = "".join(f"segment s{number} = 1 = 1\n" for number in range(600))
    unknown = "".join(f"segment t{number} = exists(nothing)\n" for number in range(1_100))
    write(root, journeys__more=segments + unknown)
    done = check()
    assert done.output.count("error[") == 200
    assert "900 more findings are not shown here: `--output json` has all of them" in done.output
    assert "checked 3 files: 1,100 errors" in done.output
    assert len(json.loads(check("--output", "json").output)["diagnostics"]) == 1_100


def test_warnings_alone_are_fine(root: Path) -> None:
    write(root, lists__fair_dot_csv=NOBODY, journeys__more=A_WARNING)
    done = check()
    assert done.exit_code == 0
    assert done.output.endswith("checked 3 files: 1 warning\n")


def test_json(root: Path) -> None:
    write(root, journeys__more="segment a = exists(signd_up)")
    done = check("--output", "json")
    assert done.exit_code == 1
    answer = json.loads(done.output)
    assert answer["format_version"] == 1
    (found,) = answer["diagnostics"]
    assert (found["code"], found["file"], found["line"], found["column"]) == (
        "JRN101",
        "journeys/more.journey",
        1,
        20,
    )
    assert found["help"] == "did you mean `signed_up`?"


UNCAPPED = """policy lax { quiet email 20:00 to 09:00 }
journey one { owner "a@b.example" policy lax enter on signed_up hello: send email "welcome/hello" }
"""
ONE = "error[JRN101]: unknown event"
RULES_WAIT = "; the rules are asked once definitions have no error\n"


def test_select_and_ignore(root: Path) -> None:
    write(root, journeys__more=UNCAPPED, journeys__welcome=WITH_POLICY)
    assert "JRN302" in check().output
    assert "JRN302" in check("--select", "JRN3").output
    assert "JRN302" in check("--select", "302,jrn109").output
    assert "JRN302" not in check("--select", "702,JRN842").output
    assert "JRN302" not in check("--ignore", "uncapped-send").output
    # Of two the longer counts, and of equally long ones the one that leaves out.
    assert "JRN302" in check("--ignore", "JRN3", "--select", "JRN302").output
    assert "JRN302" not in check("--ignore", "JRN302", "--select", "JRN302").output


@pytest.mark.parametrize(
    ("option", "word", "message"),
    [
        ("--select", "JRN999", "no code begins with `JRN999`"),
        ("--select", "JRN30", ""),
        ("--ignore", "uncaped-send", "did you mean `uncapped-send`?"),
        ("--ignore", "JRN032", "did you mean `JRN302`?"),
        ("--ignore", "JRN101", "`JRN101` cannot be left out"),
        ("--ignore", "JRN10", ""),
    ],
)
def test_words_that_select(root: Path, option: str, word: str, message: str) -> None:
    done = check(option, word)
    assert done.exit_code == (2 if message else 0)
    assert message in " ".join(done.output.split()).replace(" │ ", " ")


def test_what_makes_a_project_mean_nothing_is_always_told(root: Path) -> None:
    write(root, journeys__more="segment a = exists(signd_up)")
    assert ONE in check("--select", "JRN3").output
    assert ONE in check("--ignore", "JRN1").output
    assert check().output.endswith(f"checked 3 files: 1 error{RULES_WAIT}")


def test_settings_select_ignore_and_weigh(root: Path) -> None:
    text = (root / "journey.toml").read_text()

    def checked(lint: str) -> Result:
        write(
            root,
            journey_dot_toml=f"{text}\n[lint]\n{lint}\n",
            journeys__more=UNCAPPED,
            journeys__welcome=WITH_POLICY,
        )
        return check()

    assert "JRN302" not in checked('ignore = ["JRN3"]').output
    assert "JRN302" not in checked('select = ["JRN2"]').output
    raised = checked('severity = { JRN302 = "error", JRN3 = "warning" }')
    assert raised.exit_code == 1
    assert "error[JRN302]" in raised.output
    refused = checked('ignore = ["JRN101"]')
    assert "error[JRN809]: `JRN101` cannot be left out; without it" in refused.output
    assert " --> journey.toml:8:1" in refused.output


def test_suppressions(root: Path) -> None:
    text = UNCAPPED.replace(" hello:", "\n# journey: ignore[JRN302] one message only\nhello:")
    write(root, journeys__more=text, journeys__welcome=WITH_POLICY)
    assert "JRN302" not in check().output
    write(root, journeys__more=text.replace("302", "303"), journeys__welcome=WITH_POLICY)
    output = check().output
    assert "JRN302" in output
    assert "warning[JRN702]: nothing of JRN303 is found here" in output


UNUSED = '# journey: ignore[JRN302] no longer\nsegment a "A" = exists(signed_up)\n'


def test_fixes_are_shown_as_a_diff(root: Path) -> None:
    write(root, journeys__more=UNUSED)
    assert check().output.endswith("can be fixed: 1 by `--fix`\nchecked 3 files: 1 warning\n")
    done = check("--fix")
    assert done.output == (
        "--- journeys/more.journey\n"
        "+++ journeys/more.journey (fixed)\n"
        "@@ -1,2 +1 @@\n"
        "-# journey: ignore[JRN302] no longer\n"
        ' segment a "A" = exists(signed_up)\n'
        "\n"
        "fixed 1 finding in 1 file\n"
        "checked 3 files: nothing found\n"
    )
    assert check("--fix").output == "checked 3 files: nothing found\n"


def test_unsafe_fixes_are_asked_for(root: Path) -> None:
    write(root, journeys__more='segment a "A" = exists(signd_up)\n' + UNUSED.replace(" a ", " b "))
    done = check("--fix")
    assert done.exit_code == 1
    assert "ignore[JRN302]" in (root / "journeys" / "more.journey").read_text()
    done = check("--unsafe-fixes", "--output", "json")
    assert (done.exit_code, json.loads(done.output)["diagnostics"]) == (0, [])
    assert (root / "journeys" / "more.journey").read_text() == (
        'segment a "A" = exists(signed_up)\nsegment b "A" = exists(signed_up)\n'
    )


def test_what_is_not_asked_for_is_not_fixed(root: Path) -> None:
    write(root, journeys__more=UNUSED)
    assert "fixed" not in check("--fix", "--ignore", "JRN702").output
    assert "fixed" not in check("--fix", "journeys/welcome.journey").output
    assert (root / "journeys" / "more.journey").read_text() == UNUSED


def test_paths_narrow_down_what_is_shown(root: Path) -> None:
    write(root, journeys__more="segment a = exists(signd_up)", journeys__other="metric b = c")
    assert check("journeys/more.journey").output.count("error[") == 1
    assert check("journeys").output.count("error[") == 2
    assert check("templates").exit_code == 0
    assert check("journeys/gone.journey").exit_code == 2


def test_from_elsewhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Above any other folder there could be a project.
    monkeypatch.chdir("/")
    lost = check()
    assert lost.exit_code == 2
    assert "error[JRN808]: no `journey.toml` in" in lost.output
    assert check(str(root / "journeys")).exit_code == 0
    assert CliRunner().invoke(cli, ["-C", str(root), "check"]).exit_code == 0


def test_every_kind_of_bad_input_at_once(root: Path) -> None:
    (root / "journeys" / "folder.journey").mkdir()
    (root / "journeys" / "link.journey").symlink_to("gone")
    (root / "journeys" / "latin.journey").write_bytes(b"segment \xe4 = 1")
    (root / "journeys" / "nul.journey").write_bytes(b"segment a\0 = 1")
    (root / "journeys" / "open.journey").write_text('segment a "b = 1')
    (root / "journeys" / "crlf.journey").write_bytes(b"\xef\xbb\xbfsegment a = b > 1\r\n")
    (root / "templates" / "welcome" / "hello.email.html").write_text("{% if %}")
    done = check("--output", "json")
    assert done.exit_code == 1
    codes = {found["code"] for found in json.loads(done.output)["diagnostics"]}
    assert {"JRN814", "JRN002", "JRN003", "JRN007", "JRN813"} <= codes


@pytest.mark.slow
def test_a_thousand_files(tmp_path: Path) -> None:
    """Ten lines each: under four seconds of computing, start-up included."""
    lines = WELCOME.replace("journey welcome", "journey {name}").replace(
        "send email", 'send email "welcome/hello"'
    )
    body = "".join(f"  w{n}: wait {n}d\n" for n in range(1, 6))
    for number in range(998):
        text = lines.replace("{name}", f"j{number}").replace("  hello", body + "  hello")
        write(tmp_path, **{f"journeys__j{number}": text})
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "journeylang", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    after = os.times()
    assert done.stdout == "checked 1,000 files: nothing found\n"
    assert done.returncode == 0
    assert (
        after.children_user
        + after.children_system
        - (before.children_user + before.children_system)
        < 4
    )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an error and a warning, in a folder of a repository."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    (tmp_path / ".git").mkdir()
    root = tmp_path / "mail" / "shop"
    root.mkdir(parents=True)
    write(
        root,
        lists__fair_dot_csv=NOBODY,
        journeys__more=f"segment a = exists(signd_up)\n{A_WARNING}",
    )
    monkeypatch.chdir(root)
    return tmp_path


MORE = "mail/shop/journeys/more.journey"


def test_sarif(shop: Path) -> None:
    done = check("--output", "sarif")
    assert done.exit_code == 1
    log = json.loads(done.output)
    schema = ROOT / "tests/schemas/sarif-2.1.0.json"
    assert problems(log, json.loads(schema.read_text(encoding="utf-8"))) == []
    places = [found["locations"][0]["physicalLocation"] for found in log["runs"][0]["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {MORE}
    assert [place["region"]["startLine"] for place in places] == [1, 2]


def test_github(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = check("--output", "github")
    assert done.exit_code == 1
    error, warning = done.output.splitlines()
    assert error.startswith(
        f"::error file={MORE},line=1,col=20,endLine=1,endColumn=28,title=JRN101"
    )
    assert warning.startswith(f"::warning file={MORE},line=2,")
    # A checkout that lies within another one.
    monkeypatch.setenv("GITHUB_WORKSPACE", str(shop / "mail"))
    assert check("--output", "github").output.startswith("::error file=shop/journeys/more.journey,")
    (shop / "mail/shop/journeys/more.journey").unlink()
    assert (check("--output", "github").output, check("--output", "github").exit_code) == ("", 0)


def test_junit(shop: Path) -> None:
    done = check("--output", "junit")
    assert done.exit_code == 1
    root = ET.fromstring(done.output)  # noqa: S314 - our own
    # The settings, three files of journeys and a template; one of them with two findings.
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("6", "1", "1")
    assert {suite.get("name") for suite in root} >= {MORE, "mail/shop/journey.toml"}


def test_without_a_repository_files_are_those_of_the_project(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", "/somewhere/else")
    write(root, journeys__more="segment a = exists(signd_up)")
    assert check("--output", "github").output.startswith("::error file=journeys/more.journey,")
