"""Many messages in one file, and a channel that is being warmed up."""

from __future__ import annotations

import json
import mailbox
from datetime import timedelta
from pathlib import Path

import pytest

from journeylang.delivery.channels import open_channels
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.ramp import Ramp, ramp
from tests.delivery.shop import Shop


def test_a_mailbox(shop: Shop) -> None:
    shop.use(email={"provider": "file", "form": "mbox"}, sms="file")
    assert not shop.channels["email"].provider.keyed
    shop.people(3, first_name="'From ' || i")
    shop.messages(range(1, 4))
    assert shop.deliver().accepted == 3
    [file] = shop.files()
    box = mailbox.mbox(file)
    mails = list(box)
    box.close()
    assert [mail["to"] for mail in mails] == [f"person{n}@example.com" for n in (1, 2, 3)]
    assert "Dear From 1" in str(mails[0])
    assert all(mail["message-id"] for mail in mails)
    assert file.stat().st_mode & 0o077 == 0


def test_lines_of_json(shop: Shop) -> None:
    lines = {"provider": "file", "form": "lines"}
    shop.use(email=lines, sms=lines)
    shop.people(2)
    shop.messages([1, 2])
    shop.messages([1], channel="sms")
    assert shop.deliver().accepted == 3
    [file] = shop.files()
    first = json.loads(file.read_text().splitlines()[0])
    assert (first["to"], first["channel"]) == ("person1@example.com", "email")
    [text] = shop.files("sms")
    assert json.loads(text.read_text())["to"] == "+49151001"


@pytest.mark.parametrize(
    ("written", "days"),
    [("100 +50%", [100, 150, 225, 337]), ("7+0%", [7, 7, 7, 7]), ("1 + 100 %", [1, 2, 4, 8])],
)
def test_days_of_a_ramp(written: str, days: list[int]) -> None:
    one = ramp(written)
    assert [one.of_day(n) for n in range(4)] == days
    assert one.of_day(10_000_000) >= days[-1]


@pytest.mark.parametrize("written", ["", "100", "0 +50%", "50%", 7, "100 -5%"])
def test_what_is_no_ramp(written: object, tmp_path: Path) -> None:
    with pytest.raises(SettingError):
        ramp(written)
    given = {"email": {"provider": "file", "ramp": written}}
    [problem] = open_channels(given, root=tmp_path, environment={}).diagnostics
    assert "`ramp`" in problem.message


def test_a_channel_is_warmed_up_day_by_day(shop: Shop) -> None:
    shop.use(email={"provider": "file", "ramp": "2 +50%"}, sms="file")
    assert shop.channels["email"].ramp == Ramp(first=2, percent=50)
    shop.people(10)
    shop.messages(range(1, 11), batch=4)
    shop.messages(range(1, 6), channel="sms")
    done = shop.deliver()
    assert done.accepted == 2 + 5
    assert done.waiting == 8
    assert shop.deliver().accepted == 0
    sent = []
    for _ in range(3):
        shop.now += timedelta(days=1)
        sent.append(shop.deliver().accepted)
    assert sent == [3, 4, 1]
