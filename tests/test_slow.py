"""The list of slow tests has no test that is not there."""

from __future__ import annotations

from tests.slow import HERE, slow_tests


def test_each_is_there() -> None:
    for test in slow_tests():
        file, _, name = test.partition("::")
        path = HERE / file
        assert path.is_file(), test
        assert f"def {name}(" in path.read_text(encoding="utf-8"), test
