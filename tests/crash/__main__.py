"""The soak: `python -m tests.crash --kills 10000 [--seed 1] [--engine duckdb]`.

Exits with an error at the first world that is not as it would have been uncut, and keeps it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.crash.kills import Kills, nursery
from tests.engines.databases import ENGINES

ROUND = 500
"""Kills between two lines of progress; a round has a seed of its own."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0])
    given = parser.parse_args()
    begun, done, worlds, seed = time.monotonic(), 0, 0, given.seed
    place = Path(tempfile.mkdtemp(prefix="journey-crash-"))
    print(f"worlds are in {place}", flush=True)
    with nursery() as processes:
        while done < given.kills:
            number = min(ROUND, given.kills - done)
            folder = place / str(seed)
            kills = Kills(engine=given.engine, folder=folder, number=number, seed=seed)
            kills.run(processes)
            done, worlds, seed = done + number, worlds + kills.worlds, seed + 1
            seconds = time.monotonic() - begun
            print(
                f"{done:,} kills, {worlds:,} worlds, 0 lost, 0 twice, {seconds:,.0f} s", flush=True
            )


if __name__ == "__main__":
    main()
