"""Codes on paper: short, checked, and credited to the message that they come from."""

from __future__ import annotations

import itertools
import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from journeylang.delivery.codes import TooLongError, png
from journeylang.delivery.links import Links
from journeylang.delivery.render import Failed, For, Rendered, Renderer
from journeylang.delivery.response_codes import message_number, response_code
from tests.engines.databases import ENGINES
from tests.runtime.world import NOW, sql
from tests.serve.place import ENVIRON, served_shop


def test_codes_lead_back() -> None:
    numbers = [0, 1, 31, 32, 500, 10**6, 2**40, 2**63 - 1, *range(1000, 1100)]
    codes = [response_code(number) for number in numbers]
    assert len(set(codes)) == len(codes)
    assert [message_number(code) for code in codes] == numbers
    assert [len(code) for code in codes[:3]] == [7, 7, 7]
    assert message_number(codes[5].lower().replace("-", " ")) == 10**6
    assert message_number("0" + "0" * 4 + "0") == 0
    assert message_number("oil-000".replace("i", "1")) == message_number("O1L-000")


def test_a_slip_of_the_pen_is_found() -> None:
    chosen = random.Random(8)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    passed = 0
    for _ in range(300):
        code = response_code(chosen.randrange(2**35)).replace("-", "")
        place = chosen.randrange(len(code))
        other = chosen.choice([x for x in letters if x != code[place]])
        assert message_number(code[:place] + other + code[place + 1 :]) is None
        swapped = [*code]
        if place and swapped[place] != swapped[place - 1]:
            swapped[place], swapped[place - 1] = swapped[place - 1], swapped[place]
            passed += message_number("".join(swapped)) is not None
    assert passed < 5
    for text in ("", "-", "ABC", "U" * 6, "A" * 15, "ÄÄÄÄÄÄ", "000-00*", "Z" * 14):
        assert message_number(text) is None, text


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_of_answers(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = served_shop(tmp_path, engine)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    numbers = [row[0] for row in sql(root, "SELECT message_id FROM journey.message ORDER BY 1")]
    codes = [response_code(number) for number in numbers[:3]]
    at = NOW + timedelta(days=1)
    lines = [
        "Response_Code;question;value;at",
        f"{codes[0]};shop;bought;{at.isoformat()}",
        f"{codes[1].lower()};shop;bought;",
        f"{codes[1]};shop;bought;",
        f"{codes[2][:-1]}{'0' if codes[2][-1] != '0' else '1'};shop;bought;",
        f"{response_code(10**9)};shop;bought;",
        f"{codes[2]};;;tomorrow",
        f"{codes[2]};;;",
    ]
    Path("answers.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(cli, ["responses", "load", "answers.csv"])
    assert done.exit_code == 1, done.output
    assert done.output.startswith("3 new, 1 known already, 3 refused\n")
    assert "answers.csv:5: no code" in done.output
    assert "answers.csv:6: no message has this code" in done.output
    assert "answers.csv:7: `at` is no instant" in done.output
    again = CliRunner().invoke(cli, ["responses", "load", "answers.csv"])
    assert again.output.startswith("0 new, 4 known already, 3 refused\n")
    rows = sql(
        root,
        'SELECT message_id, name, data, "at" FROM journey.message_event ORDER BY message_id',
    )
    assert [(row[0], row[1]) for row in rows] == [(n, "answered") for n in numbers[:3]]
    assert json.loads(rows[0][2]) == {"question": "shop", "value": "bought"}
    assert rows[0][3] == at
    assert json.loads(rows[2][2]) == {"question": "response", "value": "yes"}


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\x00", "response code\nx\n"])
def test_a_file_of_something_else(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = served_shop(tmp_path)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    Path("other.csv").write_text(text)
    done = CliRunner().invoke(cli, ["responses", "load", "other.csv"])
    assert "no column `response_code`" in done.output


def rendered(template: str, channel: str, links: Links) -> Rendered | Failed:
    text = f"---\nsubject: s\n---\n{template}"
    renderer = Renderer({f"a.{channel}.html": text})
    what = For(message="0f34", scope={}, number=message_number("001-6JK") or 0)
    made = renderer.render("a", channel, what, links)
    assert isinstance(made, Rendered | Failed), made
    return made


def test_a_qr_code_is_a_picture_and_in_a_text_its_address() -> None:
    template = "<p>{{ qr('https://shop.example/?a=1&b=\"2\"') }}</p><p>{{ response_code }}</p>"
    made = rendered(template, "post", Links(key=b"k", base_url="https://x.example"))
    assert isinstance(made, Rendered)
    assert made.html is not None
    assert '<img src="data:image/png;base64,' in made.html
    assert 'alt="https://shop.example/?a=1&amp;b=&#34;2&#34;"' in made.html
    assert 'https://shop.example/?a=1&b="2"' in made.text
    assert "001-6JK" in made.text
    mail = rendered(template, "email", Links(key=b"k", base_url="https://x.example"))
    assert isinstance(mail, Rendered)
    assert mail.html is not None
    assert '<img src="https://x.example/q/0f34/' in mail.html
    local = rendered(template, "email", Links(key=b"k"))
    assert isinstance(local, Rendered)
    assert "data:image/png" in (local.html or "")


def test_a_qr_code_holds_so_much() -> None:
    with pytest.raises(TooLongError):
        png("x" * 1001)
    assert isinstance(rendered("{{ qr('x' * 2000) }}", "post", Links(key=b"k")), Failed)
    for size in itertools.islice(range(1, 1001, 333), 3):
        assert png("ü" * size).startswith(b"\x89PNG")
