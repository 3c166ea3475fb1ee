"""Where keys stand in a TOML file."""

from __future__ import annotations

import pytest

from journeylang.loading.toml_places import place
from journeylang.source import Source

TEXT = """name = "x"
[response]
id = []
[[response.rules]]
outcome = "accepted"
[[response.rules]]
where = { "body:code" = 7 }
outcome = "gone"
[limits]
outcome = 1
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("name",), 1),
        (("response", "id"), 3),
        (("response", "rules", 0, "outcome"), 5),
        (("response", "rules", 1, "outcome"), 8),
        (("response", "rules", 1, "where", "body:code"), 7),
        (("response", "rules", 1, "status"), 6),
        (("response", "rules", 0, "where"), 4),
        (("limits", "outcome"), 10),
        (("limits", 3, "outcome"), 10),
    ],
)
def test_a_key_is_found_in_its_table(keys: tuple[str | int, ...], line: int) -> None:
    source = Source(path="a.toml", text=TEXT)
    found = place(source, keys)
    assert found is not None
    assert source.position(found.start)[0] == line
