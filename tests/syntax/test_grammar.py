"""The grammar file: what Lark says of it, and that the parser does what it says."""

import re
from functools import cache
from pathlib import Path

import pytest
from lark import Lark

from journeylang import resources
from journeylang.syntax.build import ACTIONS
from journeylang.syntax.grammar import tables

TEXT = (resources.grammar() / "journey.lark").read_text(encoding="utf-8")
FILES = sorted((Path(__file__).parent / "language").glob("*.journey"))


@cache
def lark() -> Lark:
    return Lark(TEXT, parser="lalr", lexer="contextual", strict=True, start="file")


def test_it_is_lalr_without_conflicts_and_without_tokens_in_each_others_way() -> None:
    assert lark().rules  # strict=True raises on any of them


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lark_reads_what_the_parser_reads(path: Path) -> None:
    assert lark().parse(path.read_text(encoding="utf-8")).data == "file"


def test_each_rule_has_a_function_and_each_function_a_rule() -> None:
    rules = {reduction.action for reduction in tables().reductions} - {""}
    assert rules == set(ACTIONS)


def test_each_rule_has_a_comment() -> None:
    lines = TEXT.splitlines()
    rules = [i for i, line in enumerate(lines) if re.match(r"\??[a-z_]+:", line)]
    assert len(rules) > 100
    assert [lines[i] for i in rules if not lines[i - 1].startswith("//")] == []


def test_no_optional_part_is_a_list_that_would_leave_no_trace() -> None:
    assert re.findall(r"\[_[a-z]", re.sub(r"//.*", "", TEXT)) == []
