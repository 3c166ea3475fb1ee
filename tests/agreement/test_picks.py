"""Rows of a catalogue for a message: which, in which order, and what if there are too few."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.agreement.both import Both, both
from tests.agreement.prelude import PRODUCTS, record
from tests.agreement.small import (
    MINUTE,
    START,
    ends,
    enters,
    happens,
    people,
    program,
    refusals,
    sent,
)

STARS = {1: 5, 2: 3, 3: 4, 4: None, 5: 4, 6: 1}


def shop(pair: Both) -> None:
    pair.put(
        "shop.products",
        [
            record("shop.products", sku=n, name=f"p{n}", price=Decimal(n), stars=stars, stock=7)
            for n, stars in STARS.items()
        ],
    )


def shown(pair: Both) -> list[Any]:
    """The keys of the rows that the only message was given."""
    [[content]] = pair.engine.query("SELECT content FROM journey.message")
    return [row["key"] for row in json.loads(content)["picks"]]


@pytest.mark.parametrize(
    ("pick", "keys"),
    [
        ("top 3 of products", "123"),
        ("top 3 of products by price", "654"),
        ("top 4 of products by stars", "1352"),
        ("top 9 of products by stars", "13526"),
        ("top 2 of products by stars where stars < 5", "35"),
        ("top 2 of products by stars * -1", "62"),
        ("top 2 of products by price where stars is unknown", "4"),
        ("top 9 of products where stars <= customer.points - 7", "26"),
        ("top 2 of products by stars * (customer.points - 11)", "62"),
        ('top 2 of products where name = "nothing"', ""),
    ],
)
def test_the_first_rows_by_value_then_by_key(pick: str, keys: str) -> None:
    steps = f'hello: send email "t" with {{ picks: {pick} }}'
    with both(program(steps), START) as pair:
        shop(pair)
        assert sent(enters(pair))
        assert shown(pair) == list(keys)


@pytest.mark.parametrize(
    ("otherwise", "left"),
    [
        ("skip", ("finished", "end")),
        ("exit", ("finished", "exit")),
        ("exit as sold_out", ("finished", "sold_out")),
    ],
)
@pytest.mark.parametrize(("count", "enough"), [(5, True), (6, False)])
def test_too_few_rows(otherwise: str, left: tuple[str, str], count: int, enough: bool) -> None:
    steps = (
        f'hello: send email "t" with {{ picks: top {count} of products by stars'
        f" else {otherwise} }}\nbehind: wait 30m"
    )
    with both(program(steps), START) as pair:
        shop(pair)
        look = enters(pair)
        assert bool(sent(look)) is enough
        assert refusals(look) == ([] if enough else ["too_few"])
        if not enough:
            assert ends(look) == ([left] if otherwise != "skip" else [("active", None)])


def test_a_send_that_comes_too_late_is_no_matter_of_rows() -> None:
    """It is skipped as expired, and the run goes on."""
    steps = (
        'hello: send email "t" with { picks: top 9 of products else exit } else hold 30m'
        "\nbehind: wait 30d"
    )
    with both(program(steps), START) as pair:
        shop(pair)
        people(pair, 1)
        happens(pair, "signed_up", START + MINUTE)
        look = pair.tick(START + MINUTE * 40)
        assert refusals(look) == ["expired"]
        assert ends(look) == [("active", None)]


def test_what_the_send_says_goes_for_its_rows() -> None:
    steps = 'hello: send email "t" with { picks: top 7 of products } else skip'
    with both(program(steps), START) as pair:
        shop(pair)
        assert refusals(enters(pair)) == ["too_few"]


def test_only_some_channels_are_tried_and_too_few_rows_keep_all_of_them_back() -> None:
    channels = 'push "t" when customer.points > 99 email "t"'
    steps = f"hello: send first of {{ {channels} }} with {{ picks: top 7 of products else skip }}"
    with both(program(steps), START) as pair:
        shop(pair)
        assert refusals(enters(pair)) == ["too_few"]


def test_the_products_of_generated_cases_differ_enough() -> None:
    assert len({row["stars"] for row in PRODUCTS}) > 3
