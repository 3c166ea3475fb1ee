"""Links of messages: what people do with them comes into the database, and nothing else does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journeylang.delivery.links import Links
from tests.engines.databases import ENGINES
from tests.runtime.world import sql
from tests.serve.place import BASE, KEY, Served, messages, served, served_shop

LINKS = Links(key=KEY.encode(), base_url=BASE)


@pytest.fixture(scope="module", params=ENGINES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_shop(tmp_path_factory.mktemp("shop"), request.param)


@pytest.fixture
def server(root: Path) -> Iterator[Served]:
    with served(root) as one:
        yield one


@pytest.fixture(scope="module")
def names(root: Path) -> Iterator[tuple[int, str]]:
    """Customers who got an e-mail, one after the other, each with the name of theirs."""
    return iter(messages(root).items())


def said(root: Path, customer: int) -> list[tuple[str, Any]]:
    rows = sql(
        root,
        "SELECT name, data FROM journey.message_event"
        f" WHERE customer_id = {customer} ORDER BY received_at, name",
    )
    return [(name, json.loads(data) if data else None) for name, data in rows]


def suppressed(root: Path, customer: int) -> list[tuple[Any, ...]]:
    return sql(
        root,
        "SELECT channel, reason, address_hash FROM journey.suppression"
        f" WHERE customer_id = {customer} ORDER BY channel",
    )


def consents(root: Path, customer: int) -> dict[str, bool]:
    rows = sql(
        root,
        "SELECT consent, granted FROM journey.consent_change"
        f' WHERE customer_id = {customer} ORDER BY "at"',
    )
    return dict(rows)


def test_a_click_leads_where_the_link_says(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    customer, name = next(names)
    target = "https://shop.example/tea?a=1&b=ü"
    path = server.path(LINKS.click(name, target))
    answer = server.client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "https://shop.example/tea?a=1&b=%C3%BC",
    )
    server.client.get(path)
    server.settled()
    assert said(server.root, customer)[0] == ("clicked", {"link": target})


def test_forged_links_lead_nowhere(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    path = server.path(LINKS.click(name, "https://shop.example/"))
    other = server.path(LINKS.click(name, "https://evil.example/"))
    before, _, signature = path.rpartition("/")
    forged = [
        f"{other.rpartition('/')[0]}/{signature}",
        path.replace("/c/", "/u/"),
        f"{before}/{signature[:-1]}",
        path.replace(name, name[::-1]),
        server.path(Links(key=b"another", base_url=BASE).unsubscribe(name)),
        "/c/",
        "/u/x",
        "/c/%00/%00/%00",
        "/p/" + "x" * 8000,
    ]
    for one in forged:
        assert server.client.get(one).status_code == 404, one
        assert server.client.post(one).status_code == 404, one
    assert server.count("refused", "link") == 2 * len(forged)
    server.settled()
    assert said(server.root, customer) == []


def test_opens_and_who_looked(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    url = LINKS.opened(name)
    assert url is not None
    answer = server.client.get(server.path(url))
    assert answer.headers["content-type"] == "image/gif"
    agents = ["", "Mozilla/5.0", "Mozilla/5.0 (compatible; Googlebot/2.1)", "curl/8.9"]
    for agent in agents:
        server.client.get(server.path(url), headers={"user-agent": agent})
    server.client.head(server.path(LINKS.click(name, "https://shop.example/")))
    server.client.get(
        server.path(LINKS.click(name, "https://shop.example/b")), headers={"purpose": "prefetch"}
    )
    server.settled()
    found = said(server.root, customer)
    assert ("opened", {"device": "desktop"}) in found
    assert {row[0] for row in found} == {"opened", "prefetched"}
    assert {row[1]["of"] for row in found if row[0] == "prefetched"} >= {"clicked"}


def test_one_click_unsubscribes(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    path = server.path(LINKS.unsubscribe(name))
    page = server.client.get(path)
    assert "<form" in page.text
    server.settled()
    assert suppressed(server.root, customer) == []
    answer = server.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    server.settled()
    [(channel, reason, hashed)] = suppressed(server.root, customer)
    assert (channel, reason) == ("email", "unsubscribe")
    assert hashed == LINKS.address_hash("email", f"p{customer}@shop.example")
    assert consents(server.root, customer) == {"email_ok": False}
    assert ("unsubscribed", None) in said(server.root, customer)


def test_preferences(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    path = server.path(LINKS.preferences(name))

    def shown() -> dict[str, bool]:
        page = server.client.get(path).text
        found = re.findall(r'name="channel" value="(\w+)"(\s+checked)?', page)
        return {channel: bool(checked) for channel, checked in found}

    before = shown()
    assert before["email"] is True
    wanted = {"shown": "1", "channel": ["sms"], "frequency": "weekly"}
    assert server.client.post(path, data=wanted).status_code == 200
    server.settled()
    # Every third has no mobile number, on which the consent rests.
    assert shown() == {"email": False, "sms": customer % 3 > 0}
    assert suppressed(server.root, customer)[0][:2] == ("email", "unsubscribe")
    [(value,)] = sql(
        server.root,
        "SELECT value FROM journey.preferences"
        f" WHERE customer_id = {customer} AND name = 'frequency'",
    )
    assert value == "weekly"
    back = {"shown": "1", "channel": ["email"], "frequency": "any"}
    server.client.post(path, data=back)
    server.settled()
    assert shown() == {"email": True, "sms": False}
    assert [row[0] for row in suppressed(server.root, customer)] == ["sms"]
    assert server.client.post(path, content=b"x" * 20_000).status_code == 400
    assert server.client.post(path, data={"frequency": "hourly"}).status_code == 400


def test_a_page_that_was_opened_before_says_nothing_of_what_it_had_not(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    customer, name = next(names)
    path = server.path(LINKS.preferences(name))
    page = server.client.get(path).text
    hidden = re.findall(r'type="hidden" name="shown" value="([^"]+)"', page)
    assert {"channel email", "channel sms"} <= set(hidden)
    # `sms` has come with an apply since: it is neither ticked nor unticked there.
    form = {"shown": [h for h in hidden if h != "channel sms"], "channel": ["email"]}
    assert server.client.post(path, data=form).status_code == 200
    server.settled()
    assert suppressed(server.root, customer) == []
    form = {"shown": hidden, "channel": ["email"]}
    assert server.client.post(path, data=form).status_code == 200
    server.settled()
    assert [row[0] for row in suppressed(server.root, customer)] == ["sms"]


def test_an_answer(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    path = server.path(LINKS.answer(name, "nps", "<9>"))
    page = server.client.get(path)
    assert "&lt;9&gt;" in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    for _ in range(2):
        assert server.client.post(path).status_code == 200
    server.settled()
    assert said(server.root, customer) == [("answered", {"question": "nps", "value": "<9>"})]


def test_a_confirmation_is_a_consent(server: Served, names: Iterator[tuple[int, str]]) -> None:
    customer, name = next(names)
    server.client.post(server.path(LINKS.answer(name, "consent", "email_ok")))
    server.settled()
    [(granted, source)] = sql(
        server.root,
        "SELECT granted, source FROM journey.consent_change"
        f" WHERE customer_id = {customer} AND consent = 'email_ok'",
    )
    assert (granted, source) == (True, f"confirmed by message {name}")


def test_a_picture_of_a_code(server: Served, names: Iterator[tuple[int, str]]) -> None:
    _, name = next(names)
    url = LINKS.code(name, "https://shop.example/voucher")
    assert url is not None
    answer = server.client.get(server.path(url))
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_a_message_that_is_not_there(server: Served) -> None:
    server.client.post(server.path(LINKS.unsubscribe("0" * 32)))
    server.settled()
    assert server.count("lost", "unknown_message") == 1
    assert server.client.get(server.path(LINKS.preferences("0" * 32))).status_code == 404


def test_tracking_without_consent_is_a_sum(tmp_path: Path) -> None:
    root = served_shop(tmp_path, more='tracking_consent = "sms_ok"\n')
    found = messages(root)
    agreed = next(customer for customer in found if customer % 3)
    others = [customer for customer in found if customer % 3 == 0]
    with served(root) as server:
        for customer in (agreed, *others):
            path = server.path(LINKS.click(found[customer], "https://shop.example/"))
            assert server.client.get(path).status_code == 302
        server.settled()
    assert said(root, agreed) == [("clicked", {"link": "https://shop.example/"})]
    assert [said(root, customer) for customer in others] == [[]] * len(others)
    [(total,)] = sql(root, "SELECT sum(number) FROM journey.tracking_sum WHERE name = 'clicked'")
    assert total == len(others)
