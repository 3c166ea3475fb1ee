"""Parameters of journeys: what `journey.toml` gives them, and what is wrong there."""

from decimal import Decimal
from pathlib import Path

import pytest

from journeylang.loading.project import load
from journeylang.model.expressions import Comparison, Constant
from journeylang.model.journey import Elapsed, If, Send, Wait
from tests.loading.folder import CONFIG, write

WELCOME = """journey welcome(gap: duration, floor: number = 2, again: bool = false,
  way: template = "welcome/hello", share: percent = 10%, words: text = "a") {
  owner "a@b.example"
  enter on signed_up
  holdout share salt "s"
  pause: wait gap
  hello: send email way with { words: words }
  if customer.points > floor and again { exit }
}
"""
BINDING = """customers from crm.customers as c {
  key c.id
  field email: text?
  field points: int
}
event signed_up from crm.signups as s { key s.id customer s.c at s.t }
consent email_marketing when customer.email is known
channel email { address: customer.email, consent: email_marketing }
policy standard { cap email 3 per 7d }
"""


def folder(root: Path, config: str, welcome: str = WELCOME) -> Path:
    return write(
        root,
        journey_dot_toml=config,
        journeys__binding=BINDING,
        journeys__welcome=welcome,
    )


def told(root: Path, env: str | None = None) -> list[tuple[str, str, str]]:
    """(path, text at the place, message) of everything that is found."""
    loading = load(root, env)
    found = []
    for d in loading.diagnostics:
        assert d.span is not None
        source = loading.sources[d.span.path]
        found.append((d.span.path, source.excerpt(d.span), d.message))
    return found


def test_an_environment_gives_the_values(tmp_path: Path) -> None:
    config = CONFIG + (
        '[env.dev.parameters]\ngap = "36h"\nfloor = 1.5\nwords = "10 EUR"\n'
        "[env.dev.parameters.welcome]\nfloor = -3\nagain = true\n"
        '[env.prod]\ndatabase = "p"\nparameters = { gap = "3h", welcome = { share = "50%" } }\n'
    )
    root = folder(tmp_path, config)
    bodies = {}
    for env in ("dev", "prod"):
        loading = load(root, env)
        assert loading.outcome.ok, loading.diagnostics
        assert loading.outcome.value is not None
        bodies[env] = loading.outcome.value.project.journeys["welcome"]
    pause, hello, decide = bodies["dev"].body
    assert isinstance(pause, Wait)
    assert pause.until == Elapsed(seconds=36 * 3600)
    assert isinstance(hello, Send)
    (_, words) = hello.values[0]
    assert isinstance(words, Constant)
    assert words.value == "10 EUR"
    assert isinstance(decide, If)
    floors = [
        part.right.value
        for part in decide.condition.parts  # type: ignore[union-attr]
        if isinstance(part, Comparison) and isinstance(part.right, Constant)
    ]
    assert floors == [-3, True]
    assert bodies["dev"].holdout.share == 1000  # type: ignore[union-attr]
    pause = bodies["prod"].body[0]
    assert isinstance(pause, Wait)
    assert pause.until == Elapsed(seconds=3 * 3600)
    assert bodies["prod"].holdout.share == 5000  # type: ignore[union-attr]
    assert load(root).outcome.ok


def test_without_an_environment_all_of_them_are_checked(tmp_path: Path) -> None:
    config = CONFIG + (
        'parameters = { gap = "3h" }\n'
        '[env.prod]\ndatabase = "p"\nparameters = { gap = "0h", way = "welcome/hlelo" }\n'
        '[env.qa]\ndatabase = "q"\n'
    )
    root = folder(tmp_path, config)
    assert load(root, "dev").outcome.ok
    assert told(root) == [
        ("journey.toml", "gap", "`0h` is a span of nothing"),
        ("journey.toml", "way", "`welcome/hlelo` has no template for `email`"),
        ("journey.toml", "env.qa", "`qa` gives no `gap` to journey `welcome`"),
    ]


def test_what_only_one_environment_brings_about_says_which(tmp_path: Path) -> None:
    welcome = """journey welcome(share: percent) {
  owner "a@b.example"
  enter on signed_up
  half: experiment salt "s" { arm a share { } arm b 50% control { } }
}"""
    config = CONFIG + (
        'parameters = { share = "50%" }\n'
        '[env.prod]\ndatabase = "p"\nparameters = { share = "40%" }\n'
    )
    (found,) = load(folder(tmp_path, config, welcome)).diagnostics
    assert found.message == "the arms add up to 90%"
    assert found.notes == ("with what the environment `prod` gives",)


def test_what_is_missing_or_unknown_has_its_place_in_the_settings(tmp_path: Path) -> None:
    config = CONFIG + (
        'parameters = { gpa = "3h", welcme = { gap = "1h" }, welcome = { floro = 3 } }\n'
    )
    assert told(folder(tmp_path, config)) == [
        ("journey.toml", "parameters", "`dev` gives no `gap` to journey `welcome`"),
        ("journey.toml", "gpa", "unknown parameter `gpa`"),
        ("journey.toml", "welcme", "unknown journey `welcme`"),
        ("journey.toml", "floro", "unknown parameter `floro`"),
    ]


@pytest.mark.parametrize(
    ("name", "type_", "value"),
    [
        ("gap", "duration", "3"),
        ("gap", "duration", '"3"'),
        ("gap", "duration", '"3h metric x = 4"'),
        ("gap", "duration", '"gap"'),
        ("gap", "duration", "'\"3h\"'"),
        ("gap", "duration", '"3h # three"'),
        ("gap", "duration", '"customer.points"'),
        ("gap", "money(EUR)", '"3 USD"'),
        ("gap", "money(EUR)", '"3.00001 EUR"'),
        ("gap", "int", "2.5"),
        ("gap", "int", "true"),
        ("gap", "int", "9223372036854775808"),
        ("gap", "number", "inf"),
        ("gap", "number", "nan"),
        ("gap", "bool", "1"),
        ("gap", "text", "1"),
        ("gap", "template", "false"),
        ("gap", "percent", "10"),
        ("gap", "date", '"2026-02-30"'),
    ],
)
def test_a_value_of_another_type(tmp_path: Path, name: str, type_: str, value: str) -> None:
    welcome = f"""journey welcome({name}: {type_}) {{
  owner "a@b.example"
  enter on signed_up
  pause: wait 2d
}}"""
    config = CONFIG + f"parameters = {{ {name} = {value} }}\n"
    assert told(folder(tmp_path, config, welcome)) == [
        ("journey.toml", "gap", f"`gap` is {type_}, this is none")
    ]


@pytest.mark.parametrize(
    ("type_", "value", "meant"),
    [
        ("money(EUR)", '"-3.5 EUR"', Decimal("-3.5000")),
        ("int", '"-3"', -3),
        ("int", "-9223372036854775807", -9223372036854775807),
        ("number", "7", 7),
        ("number", "-0.5", -0.5),
        ("text", '"3h"', "3h"),
        ("text", '""', ""),
        ("bool", '"true"', True),
    ],
)
def test_values_as_they_may_be_written(
    tmp_path: Path, type_: str, value: str, meant: object
) -> None:
    welcome = f"""journey welcome(it: {type_}) {{
  owner "a@b.example"
  enter on signed_up
  hello: send email "welcome/hello" with {{ it: it }}
}}"""
    loading = load(folder(tmp_path, CONFIG + f"parameters = {{ it = {value} }}\n", welcome))
    assert loading.outcome.ok, loading.diagnostics
    assert loading.outcome.value is not None
    (hello,) = loading.outcome.value.project.journeys["welcome"].body
    assert isinstance(hello, Send)
    (_, given) = hello.values[0]
    assert isinstance(given, Constant)
    assert given.value == meant


def test_a_value_that_is_a_list_is_no_value(tmp_path: Path) -> None:
    found = told(folder(tmp_path, CONFIG + "parameters = { gap = [1] }\n"))
    assert found[0] == (
        "journey.toml",
        "parameters",
        "`gap` is no text, number, `true` or `false`",
    )


def test_without_any_environment_a_parameter_needs_a_default(tmp_path: Path) -> None:
    (found,) = told(folder(tmp_path, '[project]\nname = "acme"\n'))
    assert found[1:] == ("gap: duration", "no environment gives `gap` to journey `welcome`")
