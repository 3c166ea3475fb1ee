"""A test that fails leaves its connections to nobody else."""

from __future__ import annotations

import pytest

from tests.engines.databases import ENGINES, closing_what_is_left, open_engine


@pytest.mark.parametrize("name", ENGINES)
def test_what_a_test_leaves_open_is_closed(name: str) -> None:
    earlier = open_engine(name)
    with closing_what_is_left():
        left = open_engine(name)
        open_engine(name).close()
    with pytest.raises(Exception, match="closed"):
        left.query("SELECT 1")
    assert earlier.query("SELECT 1") == [(1,)]
