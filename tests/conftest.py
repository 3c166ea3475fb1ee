"""What holds for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.slow import named, slow_tests

# A machine with other work to do is no reason for a property to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """One test that fails is one failure."""
    # Late: many tests need no database.
    from tests.engines.databases import closing_what_is_left

    with closing_what_is_left():
        yield


BENCHMARKS = Path(__file__).parent / "benchmarks"


# First, so that the marks are there when `-m` chooses.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under ``tests/benchmarks`` is a benchmark; it runs with ``-m benchmark``.

    What `slow.txt` lists is slow.
    """
    listed = slow_tests()
    for item in items:
        if BENCHMARKS in item.path.parents:
            item.add_marker(pytest.mark.benchmark)
        elif named(item.nodeid) in listed:
            item.add_marker(pytest.mark.slow)
