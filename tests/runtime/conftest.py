"""The worlds of some modules are on every engine: what they tell is no matter of a database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.databases import ENGINES
from tests.runtime import world

ON_EVERY_ENGINE = {"test_apply", "test_idempotence", "test_soundness", "test_unreadable"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is on one engine alone is marked so: `duckdb_only`."""
    if metafunc.module.__name__.rpartition(".")[2] in ON_EVERY_ENGINE:
        engines = ENGINES[:1] if hasattr(metafunc.function, "duckdb_only") else ENGINES
        metafunc.fixturenames.append("engine_of_the_world")
        metafunc.parametrize("engine_of_the_world", engines, indirect=True)


@pytest.fixture
def engine_of_the_world(request: pytest.FixtureRequest) -> Iterator[None]:
    world.engine_of_worlds = request.param
    yield
    world.engine_of_worlds = ENGINES[0]
