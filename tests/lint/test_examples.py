"""Every rule finds its code's bad example guilty, and has nothing against the good one.

An example is an excerpt; `contexts/CODE.journey` is what stands around it, with the line
`# example` in its place, and a binding of its own if it has one. A template is sent by the
context's journey as `welcome/hello` by e-mail, or by the channel that `# channel: sms` names.
`# settings: two` are those of a project on two kinds of database, `volumes` have 20,000 entries.
"""

from __future__ import annotations

import re

import pytest

from journeylang.diagnostics.model import Code, Diagnostic
from journeylang.lint import RULES, Settings
from tests.lint.linted import BINDING, HERE, found

_SETTINGS = re.compile(r"# settings: (\w+)")
SETTINGS = {
    "two": Settings(dialects=("duckdb", "postgres")),
    "strict": Settings(sql_escape="error"),
    "volumes": Settings(volumes={"welcome": 20_000}),
}
_CHANNEL = re.compile(r"# channel: (\w+)")
CODES = [rule.code for rule in RULES]


def findings(code: Code, example: str) -> tuple[Diagnostic, ...]:
    context = (HERE / "contexts" / f"{code.id}.journey").read_text(encoding="utf-8")
    if code.fence != "jinja":
        assert code.fence == "journey", f"{code.id}: nobody can run an example of {code.fence}"
        assert "# example\n" in context
        text = context.replace("# example\n", f"{example}\n")
        binding = "" if "customers from" in text else BINDING
        settings = _SETTINGS.search(context)
        return found(
            code.id, text, binding=binding, settings=SETTINGS[settings[1]] if settings else None
        )
    channel = _CHANNEL.search(context)
    ending = f"{channel[1]}.txt" if channel else "email.html"
    return found(code.id, context, templates={f"welcome/hello.{ending}": f"{example}\n"})


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.id)
def test_the_bad_example_is_found(code: Code) -> None:
    assert [d.code.id for d in findings(code, code.bad)] == [code.id]


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.id)
def test_the_good_example_is_not(code: Code) -> None:
    assert findings(code, code.good) == ()
