"""Values that are looked up instead of computed: what comes out is what the template says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journeylang.delivery.json_text import Written, dumped
from journeylang.delivery.leaves import Code
from journeylang.delivery.shaping import Shape, ShapeFailedError

SCOPE: dict[str, object] = {
    "message": {
        "id": "00ff",
        "to": "jo@example.com",
        "text": 'Grüße, "Jo"\\\n\x01\u2028\U0001f600 </script>',
        "html": None,
        "from": {"email": "a@b.example", "name": None},
        "timestamp": 12,
        "empty": "",
        "odd": "\ud800",
        "none": None,
        "yes": True,
        "list": ["a", 1, None],
    },
    "settings": {"stream": "broadcast", "limit": 5, "off": None},
}

LEAVES = [
    "{{ message.id }}",
    "{{ message['id'] }}",
    "{{ message.from.email }}",
    "{{ message.from.name }}",
    "{{ message.html }}",
    "{{ message.timestamp }}",
    "{{ message.yes }}",
    "{{ message.list }}",
    "{{ message.odd }}",
    "{{ settings.stream }}",
    "<{{ message.id }}@{{ settings.stream }}>",
    "no {{ message.timestamp }} of {{ settings.limit }}",
    "{{ '<' ~ message.id ~ '>' if message.text else none }}",
    "{{ '<' ~ message.id ~ '>' if message.empty else none }}",
    "{{ message.html or message.text }}",
    "{{ message.html and message.text }}",
    "{{ true if not message.html else none }}",
    "{{ message.text | upper }}",
    "{{ message.missing | default('so') }}",
    "{% if message.html %}html{% else %}text{% endif %}",
    "{{ 7 }}",
    "{{ none }}",
    "{{ message.id if message.none }}",
]

MISSING = [
    "{{ message.missing }}",
    "{{ other.id }}",
    "{{ message.id.deeper }}",
    "{{ message.none.deeper }}",
    "of {{ message.none }}",
    "of {{ message.list }}",
    "{{ 'a' ~ message.none }}",
    "{{ 'a' if message.missing else 'b' }}",
]


def by_template(shape: Shape, scope: dict[str, object]) -> Any:
    """What the template of all leaves makes of it."""
    shape._read, shape._rest = None, []
    shape._slow = shape._template
    shape._values = shape._all  # type: ignore[method-assign]
    return shape.render(scope)


def as_json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf(leaf: str) -> None:
    structure = {"a": leaf, "b": [leaf, {"c": leaf}], "d": 'fixed "é"', "e": {}, "f": []}
    wanted = by_template(Shape(structure), SCOPE)
    assert Shape(structure).render(SCOPE) == wanted
    assert Shape(structure).json(SCOPE) == as_json(wanted)
    assert Shape(leaf).json(SCOPE) == as_json(by_template(Shape(leaf), SCOPE))


@pytest.mark.parametrize("leaf", MISSING)
def test_a_leaf_that_cannot_be_read(leaf: str) -> None:
    structure = {"fine": "{{ message.id }}", "leaf": leaf}
    with pytest.raises(ShapeFailedError) as wanted:
        by_template(Shape(structure), SCOPE)
    with pytest.raises(ShapeFailedError) as found:
        Shape(structure).json(SCOPE)
    assert str(found.value) == str(wanted.value)
    assert "`leaf`" in str(found.value)


def test_all_of_them_together() -> None:
    structure = {f"n{n}": leaf for n, leaf in enumerate(LEAVES)}
    shape = Shape(structure)
    read = [leaf for leaf in shape._leaves if leaf.quick(Code()) is not None]
    assert len(read) == len(LEAVES) - 4, "all but filters, statements and half a choice"
    assert shape.json(SCOPE) == as_json(by_template(Shape(structure), SCOPE))


def test_what_is_written_stands_as_it_is() -> None:
    scope: dict[str, object] = {"items": Written(b'[{"a":1}]'), "size": 1}
    assert Shape({"all": "{{ items }}", "n": "{{ size }}"}).json(scope) == (
        b'{"all":[{"a":1}],"n":1}'
    )
    # Also where another leaf asks the template.
    beside = Shape({"all": "{{ items }}", "n": "{{ size + 1 }}"})
    assert beside.json(scope) == b'{"all":[{"a":1}],"n":2}'
    assert beside.keeps("items")
    assert not Shape({"all": "{{ items }}", "n": "{{ items | length }}"}).keeps("items")
    assert dumped(float("nan")) == "NaN"
