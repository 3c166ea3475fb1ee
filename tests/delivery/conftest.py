"""The shop, made new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in memory, without customers; both channels go into files."""
    made = make_shop(tmp_path)
    yield made
    made.close()
