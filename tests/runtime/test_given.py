"""What `with` gives, on its whole way: worked out by a tick, and shown in a message."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.world import HOUR, NOW, make, opened, sql, write

OFFER = """journey offer {
  owner "crm@shop.example"
  enter on signed_up
  policy standard
  hello: send first of {
    sms with { word: "short", sizes: ["m", "s", entry.source], costs: [5 EUR, 12.5 EUR] }
    email with { word: "long" }
  } with { word: "all", n: 3 }
}
"""
SHORT = "{{ word }} {{ n }} {{ sizes | join('+') }}{% for c in costs %} {{ c | money }}{% endfor %}"
LONG = "---\nsubject: {{ word }} {{ n }}\n---\n{{ unsubscribe_url }}\n"


def test_a_channel_has_values_of_its_own_and_lists_keep_what_is_known(tmp_path: Path) -> None:
    make(tmp_path, number=3)
    sql(tmp_path, "UPDATE shop.signups SET source = NULL; UPDATE crm.customers SET tz = 'UTC'")
    templates = {"offer/hello.sms.txt": SHORT, "offer/hello.email.txt": LONG}
    write(tmp_path, {"offer": OFFER}, templates=templates)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 8 * HOUR)
        runtime.deliver(NOW + 8 * HOUR)
        assert runtime.problems == []
    texts = [path.read_text() for path in (tmp_path / "outbox" / "sms").glob("*.json")]
    assert texts
    assert all("short 3 m+s €5.00 €12.50" in text for text in texts)
    mails = [path.read_text() for path in (tmp_path / "outbox" / "email").glob("*.eml")]
    assert mails
    assert all("Subject: long 3" in mail for mail in mails)
