"""Lists of people: what is in the file, and everything that may be wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.diagnostics.model import Diagnostic
from journeylang.loading import lists
from journeylang.loading.project import load
from journeylang.model.lists import ContactList

BINDING = """language 1
customers from crm.customers as c {
  key c.customer_no
  field email: text? = c.mail pii
  field mobile: text? pii
}
segment leads = in list "lists/fair.csv"
"""
CONFIG = '[project]\nname = "shop"\nlanguage = 1\n\n[env.dev]\ndatabase = "shop.duckdb"\n'


def listed(
    tmp_path: Path, data: bytes | str, text: str = BINDING
) -> tuple[ContactList | None, list[Diagnostic]]:
    """The list as it is read, and what is told about it."""
    (tmp_path / "journey.toml").write_text(CONFIG)
    for folder in ("journeys", "lists"):
        (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / "journeys" / "all.journey").write_text(text)
    written = data.encode() if isinstance(data, str) else data
    (tmp_path / "lists" / "fair.csv").write_bytes(written)
    loading = load(tmp_path)
    assert loading.outcome.value is not None
    found = loading.outcome.value.project.lists.get("lists/fair.csv")
    return found, list(loading.diagnostics)


@pytest.mark.parametrize(
    ("data", "key", "values"),
    [
        ("email\na@x.example\nb@x.example\n", "email", ("a@x.example", "b@x.example")),
        ("Name;E-Mail\r\nAda;a@x.example\r\n", "email", ("a@x.example",)),
        ("\ufeffname\tphone\nAda\t0049 30 1\n", "phone", ("+49301",)),
        ('company,email\n"Acme, Inc.","a@x.example"\n', "email", ("a@x.example",)),
        ("email,customer_no\na@x.example,17\n", "key", ("17",)),
        ("Customer ID\n17\n\n18\n", "key", ("17", "18")),
        ("email,note\na@x.example\n", "email", ("a@x.example",)),
    ],
)
def test_people_are_told_by_one_column(
    tmp_path: Path, data: str, key: str, values: tuple[str, ...]
) -> None:
    found, told = listed(tmp_path, data)
    assert told == []
    assert found is not None
    assert (found.key, found.values) == (key, values)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"email\na\xff@x.example\n", "the list `lists/fair.csv` is not UTF-8 in line 2"),
        (b"\xff\xfee\0m\0a\0", "is not UTF-8 in line 1"),
        ("name,company\nAda,Acme\n", "has no column by which people are told"),
        ("", "has no column by which people are told"),
        ('email\n"a@x.example\n', "cannot be read from line"),
        (",".join("abcdefghij" * 101) + "\n", "has more than 1,000 columns"),
    ],
)
def test_a_list_that_cannot_be_used(tmp_path: Path, data: bytes | str, message: str) -> None:
    found, told = listed(tmp_path, data)
    assert found is None
    assert [d.code.id for d in told] == ["JRN841"]
    assert message in told[0].message
    assert told[0].span is not None
    assert told[0].span.path == "journeys/all.journey"


def test_rows_that_stand_for_nobody_are_counted(tmp_path: Path) -> None:
    rows = ["email", "a@x.example", "A@X.example", '""', "b@x.example", "x" * 2000]
    found, told = listed(tmp_path, "\n".join(rows))
    assert found is not None
    assert found.values == ("a@x.example", "b@x.example")
    assert [(d.code.id, d.message) for d in told] == [
        (
            "JRN842",
            "of 5 rows in `lists/fair.csv` 2 have no e-mail address and 1 repeats an earlier one",
        )
    ]


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    found, told = listed(tmp_path, "email\n")
    assert found is not None
    assert [d.message for d in told] == ["`lists/fair.csv` has nobody in it"]


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    text = BINDING.replace("fair.csv", "fiar.csv")
    _, told = listed(tmp_path, "email\na@x.example\n", text)
    assert [d.code.id for d in told] == ["JRN814"]
    assert told[0].span is not None


def test_a_link_out_of_the_project(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    listed(inside, "email\na@x.example\n")
    (tmp_path / "secret.csv").write_text("email\nc@x.example\n")
    (inside / "lists" / "fair.csv").unlink()
    (inside / "lists" / "fair.csv").symlink_to(tmp_path / "secret.csv")
    told = load(inside).diagnostics
    assert [d.message for d in told] == ["the list `lists/fair.csv` is a link out of the project"]


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 2)
    _, told = listed(tmp_path, "email\na@x.example\nb@x.example\nc@x.example\n")
    assert "has more than 2 rows" in told[0].message
    monkeypatch.setattr(lists, "MOST_BYTES", 1024 * 1024)
    _, told = listed(tmp_path, "email\n" + "a" * 1024 * 1024)
    assert "is larger than 1 MiB" in told[0].message


def test_customers_need_the_field(tmp_path: Path) -> None:
    text = BINDING.replace("field mobile: text? pii", "")
    _, told = listed(tmp_path, "phone\n+4930\n", text)
    assert "tells people by telephone number, and customers have no such field" in told[0].message
