"""``journey preview``: the same message that a delivery writes, on both engines, and no trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.engines.databases import ENGINES
from tests.runtime.world import BINDING, HOUR, NOW, at, contents, make, opened, sql, write

OFFERS = """promo thanks "A code" { generate "TX-####" expires 7d }

catalog gifts from shop.gifts as g {
  key g.id
  field price: money(EUR) = g.price
}
"""

JOURNEYS = {
    "welcome": """journey welcome {
  owner "crm@shop.example"
  enter on ordered
  reenter always
  policy standard

  hello: send first of {
    sms "welcome/loud" when customer.points > 20
    email "welcome/offer"
  } with {
    spent: sum(ordered.total within 30d)
    gifts: top 2 of gifts by price
    code: promo(thanks)
  } else skip
}
""",
    "loyal": """journey loyal {
  owner "crm@shop.example"
  enter when customer.points >= 50 every 1h
  reenter after 7d
  policy standard

  hello: send sms "loyal/short" else skip
}
""",
}
TEMPLATES = {
    "welcome/offer.email.html": """---
subject: "{{ entry.total | money }}, and {{ spent | money }} in all"
---
<html><body><p>{% for gift in gifts %}{{ gift.key }}: {{ gift.price | money }} {% endfor %}</p>
<p>{{ code }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>
""",
    "welcome/loud.sms.txt": "Hello {{ code }} ✓\n",
    "loyal/short.sms.txt": "Hi {{ customer.points }}\n",
}


@pytest.fixture(params=ENGINES)
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make(tmp_path, number=20, engine=request.param)
    sql(tmp_path, "CREATE TABLE shop.gifts (id VARCHAR, price DECIMAL(14,4))")
    sql(tmp_path, "INSERT INTO shop.gifts VALUES ('cup', 8), ('pot', 20.5), ('spoon', 3)")
    order = f"INSERT INTO shop.orders VALUES (1, 5, TIMESTAMP '{NOW}', 20)"
    sql(tmp_path, order)
    write(tmp_path, JOURNEYS, binding=f"{BINDING}\n{OFFERS}", templates=TEMPLATES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["preview", "--at", "2026-03-02T12:00", *arguments])


def told(*arguments: str) -> dict[str, Any]:
    result = preview(*arguments, "--output", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_before_anything_has_run(root: Path) -> None:
    found = told("welcome/hello", "--customer", "5")
    assert (found["entry"], found["zone"]) == ("the newest row of the event", "America/New_York")
    sms, email = found["messages"]
    assert (sms["text"], sms["to"]) == ("Hello TX-XXXX ✓\n", "+49151005")
    assert sms["parts"] == {"characters": 15, "parts": 1, "because": "✓"}
    assert sms["notes"] == ["`code` is a stand-in: no code is drawn"]
    assert email["subject"] == "€20.00, and €20.00 in all"
    assert "pot: €20.50 cup: €8.00" in email["html"]
    assert "TX-XXXX" in email["text"]
    engine = at(root)
    assert engine.columns(("journey", "run")) is None, "nothing is left behind"
    engine.close()


def test_of_somebody_who_is_in_the_journey_and_nothing_is_kept(root: Path) -> None:
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + 4 * HOUR)
        sent = "SELECT channel FROM journey.message WHERE customer_id = 5 ORDER BY 1"
        assert runtime.engine.query(sent) == [("sms",)]
    sql(root, "UPDATE shop.orders SET total = 77 WHERE id = 1")
    engine = at(root)
    before = contents(engine, without=())
    engine.close()
    found = told("welcome/hello", "--customer", "5", "--at", "2026-03-02T15:00")
    assert found["entry"] == "the newest run"
    assert found["messages"][1]["subject"] == "€20.00, and €77.00 in all"
    engine = at(root)
    assert contents(engine, without=()) == before
    engine.close()


def test_of_somebody_who_never_entered(root: Path) -> None:
    result = preview("welcome/hello", "--customer", "2")
    assert result.exit_code == 1
    assert "entry: nothing: never entered" in result.stdout
    assert "its `when` does not hold" in result.stdout
    assert (
        "cannot be written: welcome/offer.email.html:2: `entry.total` is unknown" in result.stdout
    )
    found = told("welcome/hello", "--customer", "2", "--entry", "total=12.5")
    assert found["messages"][1]["subject"].startswith("€12.50, and €0.00")
    # Everybody's third has no mobile number.
    found = told("loyal/hello", "--customer", "3")
    assert found["messages"][0]["to"] is None
    assert found["messages"][0]["text"] == "Hi 10\n"


def test_as_text_and_as_a_page(root: Path) -> None:
    result = preview("welcome/hello", "--customer", "5", "--output", "page.html")
    assert result.exit_code == 0, result.output
    assert "Subject: €20.00, and €20.00 in all" in result.stdout
    assert "Parts: 1 (15 characters); of 70 and not 160, for `✓` is no letter of GSM 7-bit" in (
        result.stdout
    )
    assert "<p>TX-XXXX" in (root / "page.html").read_text(encoding="utf-8")
    only = preview("welcome/hello", "--customer", "5", "--channel", "sms")
    assert "--- email" not in only.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hello", "--customer", "5"), "several steps are called `hello`: name `loyal/hello` or"),
        (("welcome/helo", "--customer", "5"), "did you mean `welcome/hello`?"),
        (("loyal/hello", "--customer", "4711"), "error[JRN829]: no customer `4711`"),
        (("loyal/hello", "--customer", "P5@shop.example"), "did you mean `5`?"),
        (("welcome/hello", "--customer", "5", "--entry", "total=much"), "`much` is no money"),
        (("welcome/hello", "--customer", "5", "--entry", "totl=1"), "did you mean `total`?"),
        (("welcome/hello", "--customer", "5", "--entry", "total"), "is not NAME=VALUE"),
        (("welcome/hello", "--customer", "5", "--channel", "push"), "the step sends by sms, email"),
        (("loyal/hello", "--customer", "5", "--output", "a.html"), "none of the messages has HTML"),
        (("loyal/hello", "--customer", "5", "--output", "pdf"), "is neither text, json nor"),
    ],
)
def test_what_is_refused(root: Path, arguments: tuple[str, ...], said: str) -> None:
    result = preview(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
