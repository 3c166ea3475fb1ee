"""Sets: a file of rows for a call centre, a printing house, an advertising network."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime
from pathlib import Path

import pytest
import reportlab
from hypothesis import given
from hypothesis import strategies as st

from journeylang.delivery.channels import open_channels
from journeylang.delivery.hashing import email_hash, phone_hash
from journeylang.delivery.letters import LetterError, Letters
from journeylang.delivery.outcome import Accepted, Answer, Refused
from journeylang.delivery.postal import lines, place
from journeylang.delivery.provider import Note
from journeylang.delivery.sets import SetProvider

FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
PLACE = "Jo Doe\nHauptstr. 1\n10115 Berlin\nDE"


def sent(root: Path, channel: str, *texts: tuple[str, str], **given: object) -> list[Answer]:
    outcome = open_channels({channel: given}, root=root, environment={})
    assert outcome.ok, outcome.diagnostics
    assert outcome.value is not None
    provider = outcome.value[channel].provider
    assert isinstance(provider, SetProvider)
    at = datetime.fromisoformat("2026-03-02T10:00")
    notes = [
        Note(id=f"{n:032x}", channel=channel, to=to, text=text, subject="Hi", at=at)
        for n, (to, text) in enumerate(texts)
    ]
    answers: dict[str, Answer] = {}
    assert provider.open() is None
    provider.send(notes, answers)
    provider.close()
    return [answers[note.id] for note in notes]


def rows(root: Path, name: str) -> list[dict[str, str]]:
    [file] = root.glob(f"{name}/*.csv")
    assert file.stat().st_mode & 0o077 == 0
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))


def test_a_call_list(tmp_path: Path) -> None:
    answers = sent(
        tmp_path,
        "call",
        ("+49 151 1", "Ask, about\nthe order"),
        ("+49 151 2", "=cmd|'/c calc'!A1"),
        provider="call_list",
    )
    assert all(isinstance(one, Accepted) for one in answers)
    first, second = rows(tmp_path, "call_list")
    assert first["phone"] == "+49 151 1"
    assert first["notes"] == "Ask, about\nthe order"
    assert second["notes"] == "'=cmd|'/c calc'!A1"
    assert list(first) == ["message", "phone", "subject", "notes", "since"]
    # The same rows again are the same file.
    sent(
        tmp_path,
        "call",
        ("+49 151 1", "Ask, about\nthe order"),
        ("+49 151 2", "=cmd|'/c calc'!A1"),
        provider="call_list",
    )
    assert len(rows(tmp_path, "call_list")) == 2


def test_letters_beside_their_rows(tmp_path: Path) -> None:
    long = "\n\n".join(["A paragraph of the letter. " * 12] * 20)
    answers = sent(
        tmp_path,
        "post",
        (PLACE, "Dear Jo,\n\ngood to have you here – really."),
        (PLACE, "Привет"),
        ("nowhere", "x"),
        (PLACE, long),
        provider="print_file",
        postal_address="Acme GmbH, Hauptstr. 1, 10115 Berlin",
    )
    assert [type(one) for one in answers] == [Accepted, Refused, Refused, Accepted]
    got = rows(tmp_path, "print_file")
    assert [row["name"] for row in got] == ["Jo Doe", "Jo Doe"]
    assert (got[0]["code"], got[0]["city"], got[0]["country"]) == ("10115", "Berlin", "DE")
    [pdf] = tmp_path.glob("print_file/*.pdf")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") == 3


def test_a_font_has_its_letters() -> None:
    letters = Letters(font=FONT, sender=None)
    made = [letters.page(PLACE, "Zażółć")] if ord("ż") in letters._known else []
    assert letters.document([*made, letters.page(PLACE, "Grüße")]).startswith(b"%PDF-")
    with pytest.raises(LetterError):
        letters.page(PLACE, "漢")


def test_a_font_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    given = {"provider": "print_file", "font": "a.ttf"}
    [problem] = open_channels({"post": given}, root=tmp_path, environment={}).diagnostics
    assert "a.ttf is no TrueType font" in problem.message


def test_an_audience_is_hashed(tmp_path: Path) -> None:
    answers = sent(
        tmp_path,
        "ads",
        (" Jo.Doe+x@GMail.com ", "x"),
        ("+49 (151) 123-4567", "x"),
        ("neither", "x"),
        provider="ads_audience",
    )
    assert [type(one) for one in answers] == [Accepted, Accepted, Refused]
    got = rows(tmp_path, "ads_audience")
    assert got[0] == {"Email": hashlib.sha256(b"jodoe@gmail.com").hexdigest(), "Phone": ""}
    assert got[1] == {"Email": "", "Phone": hashlib.sha256(b"+491511234567").hexdigest()}
    content = next(tmp_path.glob("ads_audience/*.csv")).read_text()
    assert "gmail" not in content.lower()


@pytest.mark.parametrize(
    ("address", "network", "form"),
    [
        ("Jo.Doe@Example.com", "google", "jo.doe@example.com"),
        ("Jo.Doe+news@googlemail.com", "google", "jodoe@googlemail.com"),
        ("Jo.Doe+news@gmail.com", "meta", "jo.doe+news@gmail.com"),
    ],
)
def test_forms_of_e_mail_addresses(address: str, network: str, form: str) -> None:
    assert email_hash(address, network) == hashlib.sha256(form.encode()).hexdigest()


@pytest.mark.parametrize(
    ("number", "network", "form"),
    [
        ("+49 151 1234567", "google", "+491511234567"),
        ("0049-151-1234567", "google", "+491511234567"),
        ("+1 (555) 010-9999", "meta", "15550109999"),
    ],
)
def test_forms_of_numbers(number: str, network: str, form: str) -> None:
    assert phone_hash(number, network) == hashlib.sha256(form.encode()).hexdigest()


@pytest.mark.parametrize("number", ["0151 1234567", "", "+1", "+" + "1" * 16, "x"])
def test_what_is_no_number_of_a_country(number: str) -> None:
    assert phone_hash(number) is None


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (PLACE, ("Jo Doe", "Hauptstr. 1", None, "10115", "Berlin", None, "DE")),
        (
            "Jo Doe\nAcme Inc.\n5 Main St\nSan Francisco, CA 94107\nUS",
            ("Jo Doe", "Acme Inc.", "5 Main St", "94107", "San Francisco", "CA", "US"),
        ),
        ("Jo\nStreet 1\nSomewhere", ("Jo", "Street 1", None, None, "Somewhere", None, None)),
        (
            '{"name": "Jo", "line1": "Street 1", "code": 10115, "city": "Berlin"}',
            ("Jo", "Street 1", None, "10115", "Berlin", None, None),
        ),
        ("{", (None,) * 7),
        ("x", (None,) * 7),
    ],
)
def test_postal_addresses(text: str, fields: tuple[str | None, ...]) -> None:
    assert tuple(place(text).values()) == fields


@given(st.text(max_size=200))
def test_any_text_may_be_no_address(text: str) -> None:
    assert len(place(text)) == 7
    lines(text)
