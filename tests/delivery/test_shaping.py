"""Structures with templates in their leaves keep types, and leave out what is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError

SCOPE: dict[str, object] = {
    "a": {"n": 5, "text": "x", "none": None, "list": [1, 2], "deep": {"k": [True, None]}},
    "price": Decimal("12.50"),
}


@pytest.mark.parametrize(
    ("structure", "made"),
    [
        ("{{ a.n }}", 5),
        ("{{ a.n }} of it", "5 of it"),
        (" {{ a.n }}", " 5"),
        ("{{ a.list }}", [1, 2]),
        ("{{ a.deep }}", {"k": [True, None]}),
        ("{{ price }}", 12.5),
        ("{{ a.n > 3 }}", True),
        ("{{ a.deep | json }}", '{"k":[true,null]}'),
        ("{{ 'a b' | base64 }}", "YSBi"),
        ("{{ '+49 (151) 1' | digits }}", "491511"),
        ("{{ a.none | default('y') }}", "y"),
        ("{% if a.n %}yes{% else %}no{% endif %}", "yes"),
        ({"k": "{{ a.none }}", "m": 1}, {"m": 1}),
        ({"k": {"o": "{{ a.none }}"}, "m": ["{{ a.none }}", 1]}, {"m": [1]}),
        ({"k": {"o": "{{ a.none }}"}}, None),
        ({"k": {}, "m": []}, {"k": {}, "m": []}),
        ({"k": False, "n": 1.5, "s": "plain"}, {"k": False, "n": 1.5, "s": "plain"}),
        (["{{ a.n }}", ["{{ a.text }}"]], [5, ["x"]]),
    ],
)
def test_what_is_made(structure: Any, made: Any) -> None:
    got = Shape(structure).render(SCOPE)
    assert got == made
    assert type(got) is type(made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ a.nothing }}", "`b.0` asks for what is not there"),
        ("{{ nobody }}", "`b.0` asks for what is not there"),
        ("{{ 'x' * 10 }}", "`b.0` cannot be computed"),
        ("{{ 1 // 0 }}", "`b.0` cannot be computed (ZeroDivisionError)"),
        ("{% for i in range(9999999999) %}x{% endfor %}", "`b.0`"),
        ("{{ ().__class__ }}", "`b.0`"),
        ("x {{ a.deep }}", "`b.0` cannot be computed"),
    ],
)
def test_what_fails_names_the_leaf_and_no_value(text: str, words: str) -> None:
    shape = Shape({"a": "{{ a.text }}", "b": [text]})
    with pytest.raises(ShapeFailedError) as error:
        shape.render(SCOPE)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize(
    "text", ["{{ a", "{{ a | nofilter }}", "{% include 'x' %}", "{% for x in a %}", "{{ a is no }}"]
)
def test_what_is_not_understood_names_the_leaf(text: str) -> None:
    with pytest.raises(ShapeError) as error:
        Shape({"a": "{{ fine }}", "b": [text]}, path="body")
    assert error.value.path == "body.b.0"


def test_lenient_shapes_leave_out_what_is_not_there() -> None:
    shape = Shape({"a": "{{ event.x.y.z }}", "b": "{{ event.n ~ event.m }}"}, lenient=True)
    assert shape.render({"event": {"n": 1}}) == {"b": "1"}
    assert shape.render({"event": "a text"}) == {"b": ""}


def test_names_that_are_asked_for() -> None:
    shape = Shape({"a": "{{ message.to }}", "b": "{% for x in call.data %}{{ x }}{% endfor %}"})
    assert set(shape.names()) == {("a", "message", "to"), ("b", "call", "data")}
    assert list(Shape("{{ message }}").names()) == [("", "message", None)]
