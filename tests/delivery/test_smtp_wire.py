"""Commands that go together, and what is known of a message when one of them is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journeylang.delivery.mime import Address, Email
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.smtp import Server, SmtpProvider
from tests.delivery.mail_sink import MailSink, mail_sink
from tests.delivery.shop import NOW


@pytest.fixture(params=[True, False], ids=["together", "one by one"])
def sink(request: pytest.FixtureRequest) -> Iterator[MailSink]:
    with mail_sink(pipelining=request.param) as made:
        yield made


def mail(local: str, number: int = 0) -> Email:
    return Email(
        id=f"{number:032x}",
        sender=Address(local="a", domain="b.example"),
        to=Address(local=local, domain="example.com"),
        subject="Hi",
        text="Some text\n.with a dot\n",
        html=None,
        date=NOW,
    )


def sent(sink: MailSink, *mails: Email, connections: int = 1) -> list[Answer]:
    provider = SmtpProvider(Server(host="127.0.0.1", port=sink.port, connections=connections))
    answers: dict[str, Answer] = {}
    try:
        assert provider.open() is None
        provider.send(mails, answers)
    finally:
        provider.close()
    return [answers[one.id] for one in mails]


def test_many_over_one_connection(sink: MailSink) -> None:
    mails = [mail(f"p{n}", n) for n in range(50)]
    assert all(isinstance(one, Accepted) for one in sent(sink, *mails))
    assert [to for to, _ in sink.received] == [f"p{n}@example.com" for n in range(50)]
    assert all(b"\r\n..with a dot" in content for _, content in sink.received)
    assert sink.connections == 1
    assert (sink.together == 50) == sink.pipelining


@pytest.mark.parametrize(
    ("local", "wanted"),
    [
        ("unknown", Refused(kind="invalid_recipient", detail="550 5.1.1 <…> is not known here")),
        ("insists", Refused(kind="invalid_recipient", detail="550 5.1.1 no")),
        ("full", TryLater(detail="452 4.2.2 later")),
        ("nodata", Refused(kind="rejected", detail="554 5.7.1 no")),
    ],
)
def test_who_is_refused_takes_nobody_along(sink: MailSink, local: str, wanted: Answer) -> None:
    before, refused, after = sent(sink, mail("one", 1), mail(local, 2), mail("two", 3))
    assert isinstance(before, Accepted)
    assert isinstance(after, Accepted)
    assert type(refused) is type(wanted)
    assert "example.com" not in str(refused)
    if isinstance(refused, Refused) and isinstance(wanted, Refused):
        assert refused.kind == wanted.kind
    assert {to for to, _ in sink.received} == {"one@example.com", "two@example.com"}
    assert sink.connections == 1


def test_a_connection_that_ends_before_the_content(sink: MailSink) -> None:
    """Nothing has left: over a new connection it is tried once more, and then later."""
    before, lost, after = sent(sink, mail("one", 1), mail("hangup", 2), mail("two", 3))
    assert isinstance(lost, TryLater)
    assert isinstance(before, Accepted)
    assert isinstance(after, Accepted)
    assert len(sink.received) == 2


def test_a_connection_that_ends_behind_the_content(sink: MailSink) -> None:
    before, lost, after = sent(sink, mail("one", 1), mail("lost", 2), mail("two", 3))
    assert isinstance(lost, Unknown)
    assert isinstance(before, Accepted)
    assert isinstance(after, Accepted)
    assert [to for to, _ in sink.received].count("lost@example.com") == 1


def test_what_is_no_answer_ends_the_connection(sink: MailSink) -> None:
    (odd, after) = sent(sink, mail("garbled", 1), mail("two", 2))
    assert isinstance(odd, TryLater)
    assert isinstance(after, Accepted)


def test_no_address_adds_a_command(sink: MailSink) -> None:
    """Such an address is refused long before; here it is refused once more."""
    (answer, other) = sent(sink, mail("a>\r\nRCPT TO:<x", 1), mail("two", 2))
    assert isinstance(answer, Refused)
    assert isinstance(other, Accepted)
    assert [to for to, _ in sink.received] == ["two@example.com"]


def test_words_that_are_not_utf_8_can_be_recorded(sink: MailSink) -> None:
    _, refused = sent(sink, mail("one", 1), mail("accents", 2))
    assert isinstance(refused, Refused)
    assert refused.detail == "550 5.7.1 Utilisateur refus\N{REPLACEMENT CHARACTER}"
    assert refused.detail.encode()
