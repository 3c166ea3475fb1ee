"""A report that is interrupted ends, and with it what a second connection reads for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeylang.report.source import Source
from journeylang.report.together import read_beside
from tests.engines.databases import ENGINES
from tests.report import shop
from tests.runtime.world import sql

pytestmark = pytest.mark.slow

# Asked for once by a statement, and nothing is kept of it meanwhile.
_ENDLESS = {
    "duckdb": "(SELECT sum(r.range % 7) FROM range(1000000000000) AS r)",
    "postgres": "(SELECT pg_sleep(86400))",
}


@pytest.fixture(scope="module", params=ENGINES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a goal asks of orders is not told before the sun goes out."""
    root = shop.make(tmp_path_factory.mktemp("shop"), request.param)
    sql(
        root,
        f"""ALTER TABLE shop.orders RENAME TO kept;
CREATE VIEW shop.orders AS SELECT o.* FROM shop.kept AS o
WHERE {_ENDLESS[request.param]} IS NOT NULL""",
    )
    return root


@pytest.fixture
def read(root: Path) -> Iterator[Source]:
    with shop.source(root) as found:
        yield found


@pytest.mark.parametrize("seconds", [0.0, 0.5], ids=["at once", "later"])
def test_a_report_ends_with_its_second_connection(read: Source, seconds: float) -> None:
    welcome = read.project.journeys["welcome"]

    def interrupted() -> None:
        with read_beside(read.for_one_report(), welcome):
            time.sleep(seconds)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - began < seconds + 10
    # This connection goes on.
    assert read.query("SELECT 1") == [(1,)]


def test_ctrl_c_ends_the_command(root: Path) -> None:
    # What is begun in the background may have been told to ignore it, and hands that on.
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from journeylang.cli.main import main\n"
        "main()"
    )
    arguments = [sys.executable, "-c", program, "-C", str(root), "report"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(6)
            os.kill(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (out, err, process.returncode) == (b"", b"interrupted\n", 130)
