"""The examples of codes are true: the bad one gives its code, the good one does not.

Codes that a rule looks for have theirs run in ``tests/lint/test_examples.py``. What happens only
when something runs, or to a file and not to a text, is told in words, and shown by the
test that is named here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from journeylang.diagnostics.codes import ALL_CODES
from journeylang.diagnostics.model import Code
from journeylang.lint import RULES
from journeylang.loading.checking import check
from tests.docs.fences import ROOT
from tests.loading.folder import write

PRELUDE = (ROOT / "tests/errors/_binding.journey").read_text(encoding="utf-8")
HEAD = '  owner "x"\n  enter on signed_up\n'

FILE = "{}\n"
STEPS = f'journey j {{{{\n{HEAD}{{}}\n  last: send email "welcome/hello"\n}}}}\n'
TEMPLATE = STEPS.replace("{}\n", "").replace('hello"\n', 'hello" with {{ voucher: "x" }}\n')
SETTINGS = '[project]\nname = "acme"\n\n{}\n'

WHOLE = """
    JRN001 JRN006 JRN007 JRN008 JRN101 JRN102 JRN103 JRN110 JRN111 JRN112 JRN113 JRN114 JRN301
    JRN843
"""
CONTEXTS = {
    **dict.fromkeys(WHOLE.split(), FILE),
    "JRN009": TEMPLATE,
    "JRN105": TEMPLATE,
    "JRN106": TEMPLATE,
    "JRN108": STEPS,
    "JRN115": STEPS,
    "JRN202": STEPS,
    "JRN401": STEPS,
    "JRN702": STEPS,
    "JRN703": STEPS,
    "JRN809": SETTINGS,
}

SHOWN_BY = {
    "JRN002": "tests/diagnostics/test_decode.py",
    "JRN003": "tests/diagnostics/test_decode.py",
    "JRN004": "tests/diagnostics/test_decode.py",
    "JRN005": "tests/syntax/test_bounds.py",
    "JRN212": "tests/errors/too_many_steps.journey",
    "JRN403": "tests/runtime/test_apply.py",
    "JRN501": "tests/runtime/test_apply.py",
    "JRN502": "tests/deploy/test_saved.py",
    "JRN503": "tests/deploy/test_saved.py",
    "JRN504": "tests/deploy/test_saved.py",
    "JRN505": "tests/deploy/test_saved.py",
    "JRN506": "tests/deploy/test_saved.py",
    "JRN507": "tests/deploy/test_saved.py",
    "JRN508": "tests/deploy/test_saved.py",
    "JRN509": "tests/deploy/test_pinned.py",
    "JRN801": "tests/cli/test_run.py",
    "JRN802": "tests/cli/test_run.py",
    "JRN803": "tests/runtime/test_soundness.py",
    "JRN804": "tests/runtime/test_soundness.py",
    "JRN805": "tests/runtime/test_soundness.py",
    "JRN806": "tests/runtime/test_soundness.py",
    "JRN807": "tests/cli/test_run.py",
    "JRN808": "tests/cli/test_check.py",
    "JRN810": "tests/cli/test_run.py",
    "JRN813": "tests/analysis/test_templates.py",
    "JRN814": "tests/loading/test_project.py",
    "JRN815": "tests/runtime/test_soundness.py",
    "JRN816": "tests/cli/test_run.py",
    "JRN817": "tests/cli/test_run.py",
    "JRN820": "tests/cli/test_pause.py",
    "JRN821": "tests/runtime/test_unreadable.py",
    "JRN822": "tests/runtime/test_migrations.py",
    "JRN823": "tests/serve/test_channel_pause.py",
    "JRN824": "tests/runtime/test_gone.py",
    "JRN825": "tests/serve/test_following.py",
    "JRN829": "tests/why/test_why.py",
    "JRN830": "tests/cli/test_extras.py",
    "JRN841": "tests/loading/test_lists.py",
    "JRN842": "tests/loading/test_lists.py",
    "JRN861": "tests/cli/test_test.py",
    "JRN871": "tests/cli/test_simulate.py",
    "JRN872": "tests/cli/test_simulate.py",
    "JRN881": "tests/draft/test_manifest.py",
    "JRN882": "tests/draft/test_init_from.py",
    "JRN883": "tests/draft/test_init_from.py",
}

NOT_YET = {
    # Not looked for by this version; docs/codes.md says so.
    "JRN306",
    "JRN812",
    "JRN819",
    # Found where a run or a build of the plan gets to it, and not shown by a test of its own.
    "JRN211",
    "JRN811",
    "JRN818",
}

# What the shared binding has of the same name as an example.
IN_THE_WAY = {
    "JRN110": r"(?m)^segment vip .*$",
    "JRN112": r"(?ms)^event order_placed .*?^}$",
    "JRN301": r"(?m)^channel email .*$",
}

BY_RULES = {rule.code.id for rule in RULES}


def told(root: Path, code: Code, example: str) -> set[str]:
    """The codes of all findings in a project that has the example."""
    text = example.replace(" …", " ").replace("  \n", HEAD) if code.id == "JRN113" else example
    text = text.replace("…", "")
    context = CONTEXTS[code.id]
    binding = PRELUDE.replace("field country", "field first_name: text?\n  field country")
    files = {
        "journeys__binding": re.sub(IN_THE_WAY.get(code.id, "$^"), "", binding),
        "journeys__welcome": STEPS.format("") if code.id == "JRN301" else "",
        "templates__welcome__hello_dot_email_dot_html": "<p>Hello</p>\n",
    }
    if context is SETTINGS:
        files["journey_dot_toml"] = context.format(text)
    elif code.fence == "jinja":
        files["journeys__example"] = context.format()
        files["templates__welcome__hello_dot_email_dot_html"] = f"<p>{text}</p>\n"
    else:
        files["journeys__example"] = context.format(text)
    return {found.code.id for found in check(write(root, **files)).diagnostics}


@pytest.mark.parametrize(
    "code", [code for code in ALL_CODES if code.id in CONTEXTS], ids=lambda code: code.id
)
def test_the_bad_example_gives_its_code_and_the_good_one_does_not(
    tmp_path: Path, code: Code
) -> None:
    assert code.id in told(tmp_path / "bad", code, code.bad)
    good = told(tmp_path / "good", code, code.good)
    assert code.id not in good
    assert "JRN001" not in good


@pytest.mark.parametrize(("code", "path"), SHOWN_BY.items())
def test_codes_that_are_told_in_words_are_shown_by_another_test(code: str, path: str) -> None:
    assert code in (ROOT / path).read_text(encoding="utf-8")


def test_every_code_is_shown_somewhere() -> None:
    shown = BY_RULES | set(CONTEXTS) | set(SHOWN_BY) | NOT_YET
    named = {code.id for code in ALL_CODES}
    assert named - shown == set(), "neither run here nor by the rules, and no test is named for it"
    assert shown - named == set(), "named here, and no code any more"
