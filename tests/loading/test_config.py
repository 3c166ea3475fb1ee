"""journey.toml: what is read, and where it is wrong."""

import pytest

from journeylang.loading.config import read_config
from journeylang.loading.secrets import secret
from journeylang.source import Source

GOOD = """
[project]
name = "acme"
language = 1

[lint]
ignore = ["JRN602", "uncapped-send"]
sql-escape = "error"

[env.dev]
database = "acme.duckdb"
channels = { email = "file", sms = "file" }
parameters = { floor = "20 EUR", days = 3 }

[env.prod]
database = "env:DATABASE_URL"
auto_apply = true
[env.prod.channels.email]
provider = "sendgrid"
api_key = "env:SENDGRID_API_KEY"
rate = "100/s"
"""


def source(text: str) -> Source:
    return Source(path="journey.toml", text=text)


def test_settings() -> None:
    outcome = read_config(source(GOOD))
    assert outcome.diagnostics == ()
    config = outcome.value
    assert config is not None
    assert (config.project.name, config.lint.sql_escape) == ("acme", "error")
    dev, prod = config.env["dev"], config.env["prod"]
    assert (dev.channels["email"].provider, dev.channels["email"].settings) == ("file", {})
    assert dev.parameters == {"floor": "20 EUR", "days": 3}
    assert prod.channels["email"].provider == "sendgrid"
    assert prod.channels["email"].settings == {
        "api_key": "env:SENDGRID_API_KEY",
        "rate": "100/s",
    }
    # By itself, only the environment that is for trying out applies what has changed.
    assert (config.applies_by_itself("dev"), config.applies_by_itself("prod")) == (True, True)


@pytest.mark.parametrize(
    ("text", "line", "message", "help_"),
    [
        ("[project\n", 1, "`journey.toml` is no TOML", ""),
        ('[project]\nname = "a"\nnam = "b"', 3, "unknown key `nam` in `[project]`", "`name`"),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabse = "x"\ndatabase = "x"',
            4,
            "unknown key `databse` in `[env.dev]`",
            "did you mean `database`?",
        ),
        ('[project]\nname = "a"\n\n[evn.dev]\n', 4, "unknown key `evn`", "did you mean `env`?"),
        ('[project]\nname = "a"\n[env.dev]\n', 3, "`database` is missing in `[env.dev]`", "add"),
        ("[lint]\n", 1, "`project` is missing", "add a table `[project]`"),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabase = "x"\nlink_key = "s3cret"',
            5,
            "a secret is named by its variable",
            "",
        ),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabase = "x"\nbase_url = "acme.example"',
            5,
            "`env.dev.base_url`: string should match",
            "",
        ),
        ('[project]\nname = "a b"', 2, "`project.name`: string should match", ""),
        ('[project]\nname = "a"\nlanguage = 7', 3, "`project.language`: input should be 1", ""),
        (
            '[project]\nname = "a"\n[lint]\nignore = ["JRN999"]',
            4,
            "no code begins with `JRN999`",
            "",
        ),
        (
            '[project]\nname = "a"\n[lint]\nignore = ["JRN101"]',
            4,
            "`JRN101` cannot be left out",
            "",
        ),
        (
            '[project]\nname = "a"\n[lint]\nseverity = { JRN302 = "fatal" }',
            4,
            "`lint.severity.JRN302`: input should be 'error' or 'warning'",
            "",
        ),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabase = "x"\nchannels = { email = 5 }',
            5,
            "a channel is the name of a provider",
            "",
        ),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabase = "x"\n[env.dev.channels.sms]\nhost = "x"',
            5,
            "`provider` is missing in `[env.dev.channels.sms]`",
            "",
        ),
        (
            '[project]\nname = "a"\n[env.dev]\ndatabase = "x"\n[env.dev.channels.sms]\nhost = [1]',
            6,
            "`env.dev.channels.sms.host",
            "",
        ),
        ('[project]\nname = "a"\n[env.dev]\ndatabase = ""', 4, "`env.dev.database`: string", ""),
    ],
)
def test_what_is_wrong_has_a_line(text: str, line: int, message: str, help_: str) -> None:
    outcome = read_config(source(text))
    assert outcome.value is None
    found = next(d for d in outcome.diagnostics if message in d.message)
    assert found.code.id == "JRN809"
    assert found.span is not None
    assert source(text).position(found.span.start)[0] == line
    assert help_ in found.help


def test_secrets() -> None:
    assert secret("plain", {}).value == "plain"
    assert secret("env:URL", {"URL": "duck"}).value == "duck"
    for environ in ({}, {"URL": ""}):
        missing = secret(
            "env:DATABASE_URL",
            environ,
            source=source(GOOD),
            keys=("env", "prod", "database"),
        )
        (found,) = missing.diagnostics
        assert (missing.value, found.code.id) == (None, "JRN810")
        assert found.message == "the variable DATABASE_URL is not set"
        assert found.span is not None
        assert source(GOOD).position(found.span.start)[0] == 16
