"""How long an editor waits after a keystroke, in a project of a thousand files."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

from lsprotocol import types as lsp
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Sizes
from tests.benchmarks.measure import note, repeat
from tests.benchmarks.test_command_line import many_files  # noqa: F401 -- a fixture
from tests.lsp.client import editor, place

FILE = "journeys/j1.journey"
TYPED = "\n  if customer.score > 70 and exists(order_placed within 3d) { exit as other }"


async def _keystrokes(root: Path) -> list[float]:
    """Seconds from each keystroke until what could be written there is known.

    Keystrokes come at 120 words a minute, and so the project is checked in between as well.
    """
    waited: list[float] = []
    async with editor(root) as client:
        text = client.open(FILE)
        await client.until(FILE)
        at = place(text, "settle: wait 2d|")
        line, character = at.line, at.character
        for letter in TYPED:
            begun = time.perf_counter()
            client.type(FILE, lsp.Position(line=line, character=character), letter)
            line, character = (line + 1, 0) if letter == "\n" else (line, character + 1)
            await client.text_document_completion_async(
                lsp.CompletionParams(
                    text_document=client.document(FILE),
                    position=lsp.Position(line=line, character=character),
                )
            )
            waited.append(time.perf_counter() - begun)
            await asyncio.sleep(0.1)
        await client.until(FILE)
    return waited


def test_keystroke_in_a_thousand_files(
    benchmark: BenchmarkFixture,
    many_files: Path,  # noqa: F811
    sizes: Sizes,
) -> None:
    waited: list[float] = []

    def type_a_line() -> None:
        waited.extend(asyncio.run(_keystrokes(many_files)))

    repeat(benchmark, type_a_line, rounds=1)
    middle, worst = 1000 * statistics.median(waited), 1000 * max(waited)
    note(
        benchmark,
        measured=f"{middle:.0f} ms",
        target="< 100 ms (median)",
        detail=f"{sizes.files + 1:,} files, {len(waited)} keystrokes, longest {worst:.0f} ms",
    )
    assert len(waited) == len(TYPED)
