"""What was promised is on the disk: after a kill, a full disk, with others at work."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from journeylang.serve.records import Happened, from_line, to_line
from journeylang.serve.spool import Spool, SpoolFullError
from tests.engines.databases import ENGINES
from tests.runtime.world import NOW, sql
from tests.serve.place import ENVIRON, TOKEN, served, served_shop

ROOT = Path(__file__).resolve().parents[2]


def keep(spool: Spool, *lines: bytes) -> None:
    asyncio.run(spool.keep(lines))


def everything(spool: Spool) -> list[bytes]:
    return [line for name, _ in spool.segments() for line in spool.lines(name, 0, 2**20)[0]]


def test_lines_come_back_in_their_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.open()
    keep(spool, b"one\n", b"two\n")
    keep(spool, b"three\n")
    [(name, complete)] = spool.segments()
    assert not complete
    assert spool.lines(name, 0, 2**20) == ([b"one", b"two", b"three"], 14)
    assert spool.lines(name, 4, 1) == ([b"two"], 8)
    assert spool.lines(name, 14, 2**20) == ([], 14)
    assert (spool.folder / name).stat().st_mode & 0o077 == 0
    spool.close()
    assert [complete for _, complete in Spool(tmp_path / "spool").segments()] == [True]


def test_a_segment_of_a_process_that_lives_is_its_own(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.open()
    second.open()
    keep(first, b"of the first\n")
    assert everything(second) == []
    first.close()
    assert everything(second) == [b"of the first"]
    second.close()


def test_half_a_line_was_never_promised(tmp_path: Path) -> None:
    (tmp_path / "0-1.jsonl").write_bytes(b'one\n{"half')
    assert Spool(tmp_path).lines("0-1.jsonl", 0, 2**20) == ([b"one"], 4)


def test_large_segments_are_followed_by_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path, largest=100)
    spool.open()
    for n in range(10):
        keep(spool, f"{n}".encode() * 40 + b"\n")
    assert len(list(spool.segments())) > 2
    assert [line[:1] for line in everything(spool)] == [b"%d" % n for n in range(10)]
    spool.close()


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.open()
    keep(spool, b"kept\n")
    write = os.write

    def half(file: int, data: Any) -> int:
        write(file, bytes(data)[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(SpoolFullError):
        keep(spool, b"not kept\n")
    monkeypatch.undo()
    keep(spool, b"again\n")
    assert everything(spool) == [b"kept", b"again"]
    spool.close()


def test_too_much_at_once_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, pending=10)
    spool.open()
    with pytest.raises(SpoolFullError):
        keep(spool, b"longer than ten bytes\n")
    spool.close()
    with pytest.raises(SpoolFullError):
        keep(spool, b"late\n")


def test_what_is_no_record_is_none() -> None:
    made = Happened(event="x", key="1", customer="c", at=NOW, values={"a": "ü\u2028\n"})
    line = to_line(made)
    assert line.count(b"\n") == 1
    assert from_line(line) == made
    for broken in (b"", b"{}", b'["x",{}]', b'["happened",{"at":"never"}]', b'["said",{}]', b"7"):
        assert from_line(broken) is None


PROGRAM = "from journeylang.cli.main import main; main()"


def started(root: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--rate", "100000", *arguments],
        cwd=root,
        env=os.environ | ENVIRON | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("listening at "):
        process.wait()
        process.stdout.close()
        raise AssertionError(line)
    return process, line.split()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_lost_by_kills(tmp_path: Path, engine: str) -> None:
    """Each batch that was answered is there once, however often the server is killed."""
    root = served_shop(tmp_path, engine)
    answered: list[int] = []
    key = 10_000
    for kill in range(4):
        process, url = started(root, *(["--run"] if kill % 2 else []))
        deadline = time.monotonic() + 0.4 + 0.3 * kill
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}) as client:
            while time.monotonic() < deadline:
                batch = list(range(key, key + 20))
                key += 20
                posted = [{"event": "ordered", "key": k, "customer": 1} for k in batch]
                if client.post("/events", json=posted).status_code == 202:
                    answered += batch
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert len(answered) > 100
    with served(root) as server:
        server.settled()
        folder = server.serving.spool.folder
        assert len(list(folder.glob("*.jsonl"))) == 1
    rows = [row[0] for row in sql(root, "SELECT id FROM shop.orders WHERE id >= 10000 ORDER BY id")]
    assert len(rows) == len(set(rows))
    assert set(answered) <= set(rows)


@pytest.mark.slow
def test_it_ends_when_told_to_and_takes_in_what_it_has(tmp_path: Path) -> None:
    root = served_shop(tmp_path)
    process, url = started(root, "--run", "--every", "1s")
    headers = {"authorization": f"Bearer {TOKEN}"}
    event = {"event": "signed_up", "key": 900, "customer": 3}
    assert httpx.post(f"{url}/events", json=event, headers=headers).status_code == 202
    deadline = time.monotonic() + 30
    while "journey_ticks_total" not in httpx.get(f"{url}/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) in (0, -signal.SIGTERM)
    assert process.stdout is not None
    process.stdout.close()
    assert sql(root, "SELECT customer_id FROM shop.signups WHERE id = 900") == [(3,)]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    root = served_shop(tmp_path, more='spool = "journey.toml"\n')
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0"],
        cwd=root,
        env=os.environ | ENVIRON | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "File exists" in done.stderr
    assert "Traceback" not in done.stderr
