"""Which tests are too slow for everyday, by what a whole run has taken.

    bash .ci/test tests --junitxml=whole.xml
    python -m tests.slow whole.xml

writes `tests/slow.txt`: the tests that take longest, so many that what is left takes `SECONDS`.
They are marked `slow`, beside those that say so themselves.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
LISTED = HERE / "slow.txt"
SECONDS = 420
"""Of all processes together; a fresh machine has two."""


@cache
def slow_tests() -> frozenset[str]:
    """Their files and names, without parameters: `runtime/test_gone.py::test_x`."""
    return frozenset(LISTED.read_text(encoding="utf-8").split())


def named(nodeid: str) -> str:
    """A test as `slow.txt` has it, of pytest's own name for it."""
    return nodeid.partition("[")[0].removeprefix("tests/")


def slowest(report: Path) -> list[str]:
    """The tests of a JUnit report that are too slow for everyday."""
    taken: dict[str, list[float]] = defaultdict(list)
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest's own
        path, name = case.attrib["classname"], case.attrib["name"]
        file = path.removeprefix("tests.").replace(".", "/")
        taken[named(f"{file}.py::{name}")].append(float(case.attrib["time"]))
    left = sum(map(sum, taken.values()))
    found = []
    for test, times in sorted(taken.items(), key=lambda pair: -sum(pair[1]) / len(pair[1])):
        if left <= SECONDS:
            break
        left -= sum(times)
        found.append(test)
    return sorted(found)


if __name__ == "__main__":
    LISTED.write_text("".join(f"{test}\n" for test in slowest(Path(sys.argv[1]))), encoding="utf-8")
