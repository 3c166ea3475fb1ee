"""The outbox: what goes out, what does not, and what becomes of it."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from journeylang.delivery.channels import Channel, OnUnknown
from journeylang.delivery.compose import Letterhead
from journeylang.delivery.mime import address
from journeylang.delivery.outbox import DeliveryConfig, Outbox, deliver, doubtful
from journeylang.delivery.outcome import Accepted, Answer, Cost, Refused, TryLater, Unknown
from journeylang.delivery.provider import Outgoing
from tests.delivery.shop import NOW, TEMPLATES, Shop, make_shop

HOUR = timedelta(hours=1)


def test_a_message_arrives(shop: Shop) -> None:
    shop.people(3)
    shop.messages([1, 2, 3])
    done = shop.deliver()
    assert (done.accepted, done.handled, done.waiting) == (3, 3, 0)
    assert shop.states() == {"accepted": 3}
    assert shop.one("SELECT bool_and(done) FROM journey.batch")
    public = {row[0] for row in shop.engine.query("SELECT message FROM journey.messages")}
    assert {file.stem for file in shop.files()} == public
    raw = next(file for file in shop.files()).read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["subject"].startswith("Thank you, Jürgen ")
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    html = message.get_body(("html",))
    assert html is not None
    assert "12,50\xa0€" in html.get_content()


def test_other_channels_are_json(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1], channel="sms")
    assert shop.deliver().accepted == 1
    (file,) = shop.files("sms")
    note = json.loads(file.read_text())
    assert note == {
        "id": file.stem,
        "channel": "sms",
        "to": "+49151001",
        "at": "2026-03-02T10:00:00+00:00",
        "text": "Thank you, Jürgen 1.\n",
    }
    assert file.stat().st_mode & 0o077 == 0


def test_delivering_again_sends_nothing(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1, 2])
    shop.deliver()
    shop.sql("UPDATE journey.batch SET done = FALSE")
    again = shop.deliver()
    assert again.handled == 0
    assert shop.one("SELECT count(*) FROM journey.receipt") == 4
    assert shop.one("SELECT bool_and(done) FROM journey.batch")


def test_an_empty_outbox_is_one_statement(shop: Shop) -> None:
    outbox = shop.outbox()
    outbox.links()
    statements: list[str] = []
    shop.engine.before = statements.append
    assert outbox.deliver(now=shop.clock).handled == 0
    assert len([s for s in statements if s not in {"BEGIN", "COMMIT"}]) == 1


def test_statements_do_not_grow_with_messages(shop: Shop) -> None:
    shop.people(1200)
    shop.messages([1])
    shop.messages(range(2, 1200))
    outbox = shop.outbox()
    statements: list[str] = []
    shop.engine.before = statements.append
    assert outbox.deliver(now=shop.clock, limit=1).accepted == 1
    few = len(statements)
    statements.clear()
    assert outbox.deliver(now=shop.clock).accepted == 1198
    assert len(statements) <= few + 3  # and the claim that finds nothing more


def test_quiet_hours_hold(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1], quiet=(NOW - HOUR, NOW + HOUR))
    shop.messages([2], quiet=(NOW + HOUR, NOW + 9 * HOUR))
    done = shop.deliver()
    assert (done.accepted, done.waiting, done.next_at) == (1, 1, NOW + HOUR)
    shop.now = NOW + HOUR - timedelta(seconds=1)
    assert shop.deliver().handled == 0
    shop.now = NOW + HOUR
    assert shop.deliver().accepted == 1


def test_what_is_late_expires(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1], expires=NOW)
    shop.messages([2], quiet=(NOW, NOW + 9 * HOUR), expires=NOW + HOUR)
    done = shop.deliver()
    assert (done.expired, done.waiting, done.next_at) == (1, 1, NOW + HOUR)
    shop.now = NOW + HOUR
    assert shop.deliver().expired == 1
    assert shop.states() == {"expired": 2}
    assert shop.one("SELECT bool_and(given_back) FROM journey.receipt WHERE state = 'expired'")
    assert not shop.files()


def test_who_has_left_is_not_written_to(shop: Shop) -> None:
    shop.people(5)
    shop.messages(range(1, 6))
    later = "ended_at = TIMESTAMP '2026-03-02 10:00:01'"
    shop.sql(
        f"UPDATE journey.run SET status = 2, reason = 'rich', {later} WHERE customer_id = 'c1';"
        f"UPDATE journey.run SET status = 3, reason = 'gone', {later} WHERE customer_id = 'c2';"
        # The path's own end, and an end in the tick that decided.
        f"UPDATE journey.run SET status = 2, reason = 'silent', {later} WHERE customer_id = 'c3';"
        "UPDATE journey.run SET status = 1, reason = 'end', ended_at = TIMESTAMP '2026-03-02 10:00'"
        " WHERE customer_id = 'c4';"
        "DELETE FROM crm.customers WHERE customer_id = 'c5'"
    )
    done = shop.deliver()
    assert (done.accepted, done.cancelled) == (2, 3)
    assert shop.details("cancelled") == ["exit: rich", "gone"]
    assert shop.one("SELECT bool_and(given_back) FROM journey.receipt WHERE state = 'cancelled'")


def test_consent_is_asked_again(shop: Shop) -> None:
    shop.people(5)
    shop.messages(range(1, 6))
    shop.sql(
        "INSERT INTO crm.consents VALUES ('c1', TIMESTAMP '2026-03-02', 'opt_out'),"
        " ('c2', TIMESTAMP '2026-03-02', 'opt_out'), ('c3', TIMESTAMP '2026-03-03', 'opt_out');"
        "INSERT INTO journey.consent_change VALUES"
        " ('c2', 'email_marketing', TIMESTAMP '2026-03-02 09:00', TRUE, 'page'),"
        " ('c4', 'email_marketing', TIMESTAMP '2026-03-02 09:00', FALSE, 'page'),"
        " ('c5', 'other', TIMESTAMP '2026-03-02 09:00', FALSE, 'page')"
    )
    done = shop.deliver()
    assert (done.accepted, done.cancelled) == (3, 2)
    assert shop.details("cancelled") == ["no_consent"]
    left = shop.engine.query("SELECT customer_id FROM journey.receipt WHERE state = 'cancelled'")
    assert {row[0] for row in left} == {"c1", "c4"}


def test_a_refusal_wins_over_a_consent_by_condition(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1, 2], channel="sms")
    shop.sql(
        "INSERT INTO journey.consent_change VALUES"
        " ('c1', 'sms_ok', TIMESTAMP '2026-03-02 09:00', FALSE, 'STOP')"
    )
    done = shop.deliver()
    assert (done.accepted, done.cancelled) == (1, 1)


def test_suppression_by_customer_and_by_address(shop: Shop) -> None:
    shop.people(4)
    shop.messages([1, 2, 3, 4])
    hashed = shop.outbox().links().address_hash("email", "Person2@example.com ")
    shop.sql(
        "INSERT INTO journey.suppression VALUES"
        " ('c1', 'email', NULL, TIMESTAMP '2026-01-01', 'hard_bounce'),"
        f" (NULL, 'email', '{hashed}', TIMESTAMP '2026-01-01', 'complaint'),"
        " ('c3', 'sms', NULL, TIMESTAMP '2026-01-01', 'hard_bounce')"
    )
    done = shop.deliver()
    assert (done.accepted, done.cancelled) == (2, 2)
    assert shop.details("cancelled") == ["suppressed"]
    # Whoever shares the address is known to the next decision, which reads none.
    known = "SELECT customer_id, reason FROM journey.suppression WHERE address_hash IS NOT NULL"
    assert shop.engine.query(f"{known} AND customer_id IS NOT NULL") == [("c2", "complaint")]


def test_a_receipt_needs_no_consent_but_a_living_address(shop: Shop) -> None:
    shop.people(3)
    shop.sql("DELETE FROM crm.consents")
    shop.messages([1, 2, 3], label="bill")
    shop.sql(
        "INSERT INTO journey.suppression VALUES"
        " ('c1', 'email', NULL, TIMESTAMP '2026-01-01', 'hard_bounce'),"
        " ('c2', 'email', NULL, TIMESTAMP '2026-01-01', 'unsubscribe')"
    )
    done = shop.deliver()
    assert (done.accepted, done.cancelled) == (2, 1)
    assert all(b"List-Unsubscribe" not in file.read_bytes() for file in shop.files())


def test_without_an_address_the_message_fails(shop: Shop) -> None:
    shop.people(3, email="CASE i WHEN 1 THEN NULL WHEN 2 THEN 'not an address' ELSE 'a@b.c' END")
    shop.messages([1, 2, 3])
    done = shop.deliver()
    assert (done.accepted, done.failed) == (1, 2)
    assert sorted(shop.details("failed")) == ["invalid_recipient: no e-mail address", "no_address"]


def test_one_customer_whose_template_fails(shop: Shop) -> None:
    shop.people(300, points="CASE i WHEN 7 THEN NULL ELSE i END")
    shop.messages(range(1, 301))
    done = shop.deliver()
    assert (done.accepted, done.failed, done.to_pause) == (299, 1, {})
    (detail,) = shop.details("failed")
    assert detail.startswith("template thanks/hello.email.html:8: `customer.points` is unknown")
    assert "Jürgen" not in detail
    assert shop.one("SELECT bool_and(given_back) FROM journey.receipt WHERE state = 'failed'")
    assert len(done.problems) == 1


def test_a_template_that_fails_for_many_pauses_its_journey(shop: Shop) -> None:
    shop.people(1000, points="CASE WHEN i > 500 THEN NULL ELSE i END")
    shop.messages(range(501, 1001), batch=100)
    shop.messages([1], label="bill")
    done = shop.deliver()
    assert list(done.to_pause) == ["thanks"]
    assert done.failed == 101
    assert done.accepted == 1  # the other journey goes on
    assert done.waiting == 399
    assert "101 of 101 messages" in done.to_pause["thanks"]
    shop.now += HOUR
    assert shop.deliver(paused={"thanks"}).handled == 0
    shop.now += HOUR
    again = shop.deliver()
    assert (again.failed, list(again.to_pause)) == (1, ["thanks"])


def test_half_a_percent_is_too_much(shop: Shop) -> None:
    shop.people(1000, points="CASE WHEN i IN (997, 998, 999) THEN NULL ELSE i END")
    shop.messages(range(1, 401))
    shop.deliver()
    shop.messages([997, 998])
    assert shop.deliver().to_pause == {}
    shop.messages([999])
    assert "3 of 403 messages" in shop.deliver().to_pause["thanks"]


def test_a_template_that_is_no_template_holds_its_messages(tmp_path: Path) -> None:
    templates = TEMPLATES | {"thanks/hello.email.html": "---\nsubject: x\n---\n{{ oh"}
    shop = make_shop(tmp_path, templates=templates)
    shop.people(2)
    shop.messages([1, 2])
    shop.messages([1], label="bill")
    done = shop.deliver()
    assert (done.accepted, done.failed, done.waiting) == (1, 0, 2)
    assert "thanks/hello.email.html:4" in done.to_pause["thanks"]
    shop.close()


def test_messages_of_a_step_that_is_gone_are_cancelled(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    shop.sql("UPDATE journey.message SET step = 99")
    done = shop.deliver()
    assert done.cancelled == 1
    assert shop.details("cancelled") == ["no such step"]


def test_a_step_that_is_not_known_here_waits_for_the_one_that_knows_it(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    shop.sql("UPDATE journey.message SET step = 99")
    done = shop.deliver(beside=True)
    assert (done.cancelled, done.waiting) == (0, 1)
    assert shop.one("SELECT count(*) FROM journey.receipt") == 0


def test_messages_of_a_journey_that_stands_still_and_is_in_no_program_wait(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    shop.sql("UPDATE journey.message SET step = 99, journey = 77")
    done = shop.deliver(paused={"another"})
    assert (done.cancelled, done.waiting) == (0, 1)


def test_a_paused_journey_stays_queued(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1])
    shop.messages([2], label="bill")
    done = shop.deliver(paused={"thanks"})
    assert (done.accepted, done.waiting) == (1, 1)
    shop.now += HOUR
    assert shop.deliver().accepted == 1


def test_a_channel_without_a_provider_waits(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    shop.use(sms="file")
    assert shop.deliver().waiting == 1
    shop.use(email="file")
    assert shop.deliver().handled == 0  # not yet
    shop.now += timedelta(minutes=1)
    assert shop.deliver().accepted == 1


def test_limit_and_until(shop: Shop) -> None:
    shop.people(900)
    shop.messages(range(1, 901), batch=100)
    assert shop.deliver(limit=250).accepted == 250
    assert shop.deliver(until=NOW).handled == 0
    told: list[int] = []
    assert shop.deliver(progress=told.append).accepted == 650
    assert sum(told) == 650


def test_only_the_fields_that_templates_use_are_read(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    statements: list[str] = []
    shop.engine.before = statements.append
    shop.deliver()
    (contents,) = [s for s in statements if '"first_name"' in s and "journey.receipt" not in s]
    wanted = contents.rpartition("SELECT i.message_id")[2]
    assert '"first_name"' in wanted
    assert '"points"' in wanted
    assert '"mobile"' not in wanted


class Scripted:
    """A provider that answers what it is told to; keeps what it was given."""

    name = "scripted"
    in_flight = 50
    key_life: timedelta | None = None

    def __init__(self, *answers: Answer | None, keyed: bool = False) -> None:
        self.answers = list(answers)
        self.keyed = keyed
        self.rate = 0.0
        self.refusal: Refused | TryLater | None = None
        self.got: list[str] = []

    def open(self) -> Refused | TryLater | None:
        return self.refusal

    def preparer(self) -> None:
        return None

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        for message in messages:
            self.got.append(message.id)
            answer = self.answers.pop(0) if self.answers else Accepted(provider_id=message.id)
            if answer is None:
                raise KeyboardInterrupt
            answers[message.id] = answer

    def close(self) -> None: ...


def script(shop: Shop, provider: Scripted, on_unknown: OnUnknown = "hold") -> None:
    shop.channels["email"] = Channel(
        name="email",
        provider=provider,
        letterhead=Letterhead(sender=address("Acme <hello@acme.example>")),
        on_unknown=on_unknown,
    )


def test_answers_become_receipts(shop: Shop) -> None:
    shop.people(5)
    shop.messages(range(1, 6))
    provider = Scripted(
        Refused(kind="invalid_recipient", detail="550 5.1.1 …"),
        Refused(kind="rejected", detail="554 no"),
        TryLater(detail="451 later"),
        Unknown(detail="lost"),
    )
    script(shop, provider)
    done = shop.deliver()
    assert (done.accepted, done.failed, done.put_off, done.unknown) == (1, 2, 1, 1)
    assert shop.states() == {"accepted": 1, "failed": 2, "retry": 1, "unknown": 1}
    assert shop.details("failed") == ["invalid_recipient: 550 5.1.1 …", "rejected: 554 no"]
    assert shop.engine.query("SELECT reason, address_hash <> '' FROM journey.suppression") == [
        ("hard_bounce", True)
    ]
    assert done.next_at == NOW + timedelta(minutes=1)
    assert [(d.journey, d.step, d.detail) for d in doubtful(shop.engine)] == [
        ("thanks", "hello", "lost")
    ]
    shop.now += timedelta(minutes=1)
    assert shop.deliver().accepted == 1
    assert len(provider.got) == 6
    assert len(doubtful(shop.engine)) == 1


def test_who_objected_at_the_provider_is_not_written_to_again(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    script(shop, Scripted(Refused(kind="opted_out", detail="STOP")))
    assert shop.deliver().failed == 1
    assert shop.engine.query("SELECT reason FROM journey.suppression") == [("unsubscribe",)]
    shop.messages([1])
    assert shop.deliver().cancelled == 1


def test_costs_are_summed_by_currency(shop: Shop) -> None:
    shop.people(3)
    shop.messages(range(1, 4))
    paid = [Cost(amount=Decimal(n), currency=c) for n, c in (("0.05", "EUR"), ("0.07", "EUR"))]
    script(shop, Scripted(*(Accepted(provider_id="x", cost=one) for one in (*paid, None))))
    assert shop.deliver().costs == {"EUR": Decimal("0.12")}


@pytest.mark.parametrize(("hours", "again"), [(None, 1), (3, 1), (1, 0)])
def test_a_key_is_good_for_as_long_as_the_provider_keeps_it(
    shop: Shop, hours: int | None, again: int
) -> None:
    shop.people(1)
    shop.messages([1])
    provider = Scripted(None, keyed=True)
    provider.key_life = None if hours is None else timedelta(hours=hours)
    script(shop, provider)
    with pytest.raises(KeyboardInterrupt):
        shop.deliver()
    shop.now += timedelta(hours=2)
    done = shop.deliver()
    assert (done.accepted, done.unknown) == (again, 1 - again)


def test_pauses_grow_until_the_message_expires(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1], expires=NOW + 3 * HOUR)
    script(shop, Scripted(*[TryLater(detail="451")] * 100))
    tries: list[datetime] = []
    while shop.states() != {"expired": 1}:
        done = shop.deliver()
        if done.put_off:
            tries.append(shop.now)
        assert done.next_at or done.expired
        shop.now = done.next_at or shop.now
    gaps = [b - a for a, b in pairwise(tries)]
    assert [g.total_seconds() / 60 for g in gaps] == [1, 2, 4, 8, 16, 32, 60]
    assert shop.now == NOW + 3 * HOUR
    assert shop.one("SELECT given_back FROM journey.receipt WHERE state = 'expired'")


def test_a_provider_that_is_away_costs_no_attempt(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1, 2])
    provider = Scripted()
    provider.refusal = TryLater(detail="no connection", of_channel=True)
    script(shop, provider)
    done = shop.deliver()
    assert (done.handled, done.waiting) == (0, 2)
    assert done.stopped == {"email": provider.refusal}
    assert shop.one("SELECT count(*) FROM journey.receipt") == 0
    provider.refusal = None
    shop.now += timedelta(minutes=1)
    assert shop.deliver().accepted == 2


def test_a_refused_login_in_the_middle_stops_the_channel_and_loses_nobody(shop: Shop) -> None:
    shop.people(120)
    shop.messages(range(1, 121))
    script(shop, Scripted(*[Refused(kind="auth", detail="535")] * 50))
    done = shop.deliver()
    assert (done.failed, done.put_off, done.waiting) == (0, 50, 120)
    assert isinstance(done.stopped["email"], Refused)
    shop.now += HOUR
    assert shop.deliver().accepted == 120


@pytest.mark.parametrize("on_unknown", ["hold", "retry"])
def test_in_doubt(shop: Shop, on_unknown: OnUnknown) -> None:
    shop.people(1)
    shop.messages([1])
    provider = Scripted(Unknown(detail="lost"), Unknown(detail="lost again"))
    script(shop, provider, on_unknown)
    shop.deliver()
    for _ in range(5):
        shop.now += HOUR
        shop.deliver()
    assert len(provider.got) == (1 if on_unknown == "hold" else 2)
    assert shop.states() == {"unknown": 1}
    assert len(doubtful(shop.engine)) == 1
    assert shop.one("SELECT bool_and(done) FROM journey.batch")


def test_a_doubt_that_ends_well_is_no_doubt(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    script(shop, Scripted(Unknown(detail="lost")), "retry")
    shop.deliver()
    shop.now += HOUR
    assert shop.deliver().accepted == 1
    assert shop.states() == {"accepted": 1}
    assert doubtful(shop.engine) == []


def test_what_may_have_arrived_is_not_given_back(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    refusal = Refused(kind="rejected", detail="554")
    script(shop, Scripted(Unknown(detail="lost"), refusal), "retry")
    shop.deliver()
    shop.now += HOUR
    assert shop.deliver().failed == 1
    assert not shop.one("SELECT bool_or(given_back) FROM journey.receipt")


@pytest.mark.parametrize("keyed", [True, False])
def test_an_interruption_keeps_what_was_answered(shop: Shop, keyed: bool) -> None:
    shop.people(10)
    shop.messages(range(1, 11))
    first = Scripted(*[Accepted(provider_id="x")] * 4, None)
    script(shop, first)
    with pytest.raises(KeyboardInterrupt):
        shop.deliver()
    assert shop.states() == {"accepted": 4, "submitting": 6}
    second = Scripted(keyed=keyed)
    script(shop, second)
    done = shop.deliver()
    assert done.accepted == (6 if keyed else 0)
    assert done.unknown == (0 if keyed else 6)
    assert len(doubtful(shop.engine)) == (0 if keyed else 6)
    assert not set(first.got[:4]) & set(second.got)


def test_a_lost_lease_lets_nothing_out(shop: Shop) -> None:
    """Another worker has claimed the batch between the claim and the slots."""
    shop.people(3)
    shop.messages([1, 2, 3])
    outbox = shop.outbox()

    def steal(statement: str) -> None:
        if statement.startswith("INSERT INTO journey.receipt"):
            shop.engine.before = None
            shop.sql("UPDATE journey.batch SET token = token + 1, holder = 'other'")

    shop.engine.before = steal
    done = outbox.deliver(now=shop.clock)
    assert done.handled == 0
    assert shop.one("SELECT count(*) FROM journey.receipt") == 0
    assert shop.one("SELECT holder FROM journey.batch") == "other"
    assert not shop.files()
    assert shop.deliver().accepted == 3
    assert shop.one("SELECT token FROM journey.batch") == 3


def test_two_deliveries_of_one_process_leave_each_other_alone(shop: Shop) -> None:
    shop.people(4)
    shop.messages([1, 2, 3, 4])
    others = shop.outbox()

    class Meanwhile(Scripted):
        def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
            assert others.deliver(now=shop.clock).handled == 0
            super().send(messages, answers)

    script(shop, Meanwhile())
    assert shop.deliver().accepted == 4


def test_a_cancelled_slot_wins(shop: Shop) -> None:
    shop.people(2)
    shop.messages([1, 2])
    shop.sql(
        "INSERT INTO journey.receipt SELECT customer_id, message_id, 1, 'cancelled',"
        " TIMESTAMP '2026-03-02', NULL, NULL, 'erased', TRUE FROM journey.message"
        " WHERE customer_id = 'c1'"
    )
    assert shop.deliver().accepted == 1
    assert shop.states() == {"accepted": 1, "cancelled": 1}


def test_the_key_of_links_is_made_once(shop: Shop) -> None:
    config = DeliveryConfig(channels=shop.channels, templates=shop.templates)
    made = [Outbox(shop.engine, shop.project, shop.program, config).links().key for _ in range(2)]
    assert made[0] == made[1]
    assert len(made[0]) == 32


def test_deliver_in_one_call(shop: Shop) -> None:
    shop.people(1)
    shop.messages([1])
    config = DeliveryConfig(channels=shop.channels, templates=shop.templates)
    done = deliver(shop.engine, shop.project, shop.program, config, now=shop.clock)
    assert done.accepted == 1
