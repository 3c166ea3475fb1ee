"""The catalogue of codes."""

import re
from collections import Counter

import pytest

from journeylang.diagnostics import Code
from journeylang.diagnostics.codes import (
    ALL_CODES,
    consent,
    experiments,
    find_code,
    flow,
    names,
    portability,
    running,
    syntax,
    unused,
    versions,
)

FAMILIES = {
    "0": syntax,
    "1": names,
    "2": flow,
    "3": consent,
    "4": experiments,
    "5": versions,
    "6": portability,
    "7": unused,
    "8": running,
}
FENCES = {"journey", "toml", "jinja", "sql", "shell", "text"}


def test_ids_and_names_are_used_once() -> None:
    counts = Counter(key for code in ALL_CODES for key in (code.id, code.name))
    assert [key for key, count in counts.items() if count > 1] == []


def test_codes_ascend() -> None:
    assert [code.id for code in ALL_CODES] == sorted(code.id for code in ALL_CODES)


@pytest.mark.parametrize(("digit", "module"), FAMILIES.items())
def test_a_family_has_its_own_hundred(digit: str, module: object) -> None:
    codes: tuple[Code, ...] = module.CODES  # type: ignore[attr-defined]
    assert codes
    assert all(code.id.startswith(f"JRN{digit}") for code in codes)


@pytest.mark.parametrize("code", ALL_CODES, ids=lambda code: code.id)
def test_a_code_explains_itself(code: Code) -> None:
    assert re.fullmatch(r"JRN[0-8]\d\d", code.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code.name)
    assert len(code.name) <= 26
    assert len(code.title) <= 80
    assert not code.title.endswith(".")
    assert code.title[:1].isupper() or code.title.startswith("journey")
    assert code.why.endswith(".")
    assert code.bad
    assert code.good
    assert code.bad != code.good
    assert code.fence in FENCES
    assert all(len(line) <= 100 for line in f"{code.bad}\n{code.good}".splitlines())
    assert not re.search(r"\byou(r|rs)?\b", f"{code.title} {code.why}", re.IGNORECASE)


@pytest.mark.parametrize("text", ["JRN101", "jrn101", " 101 ", "unknown-name", "Unknown-Name"])
def test_a_code_is_found_by_id_and_name(text: str) -> None:
    assert find_code(text) is names.UNKNOWN_NAME


@pytest.mark.parametrize("text", ["", "JRN", "JRN999", "JRN1", "unknown"])
def test_what_is_no_code_is_not_found(text: str) -> None:
    assert find_code(text) is None
