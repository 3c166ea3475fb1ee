"""Tests are played in copies of the process too, and the same comes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from journeylang.demo.place import write_project
from journeylang.loading.project import load
from journeylang.model.project import Project
from journeylang.trial.sharing import APART, companies

needs_copies = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="threads cannot be counted here"
)


def _alone(code: str, *arguments: str) -> str:
    """What a process of its own prints: one with tests in it has had databases, and has threads."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_BOTH_WAYS = """
import sys
from dataclasses import replace
from pathlib import Path
from journeylang.loading.project import load
from journeylang.trial import run
from journeylang.trial.apart import begun_apart, can_be_copied
found = load(Path(sys.argv[1]), "dev").outcome.value.project
run.os.cpu_count = lambda: 2
made = []
run.begun_apart = lambda work: (made.append(work), begun_apart(work))[1]
assert can_be_copied()
copied = list(run.run_trials(found, found.trials))
assert len(made) == 1, made
run.can_be_copied = lambda: False
here = list(run.run_trials(found, found.trials))
assert len(made) == 1, made
for one, other in zip(copied, here, strict=True):
    assert replace(one, seconds=0.0) == replace(other, seconds=0.0), (one, other)
print(len(here), all(one.passed for one in here))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_project(folder)
    return folder


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    loaded = load(root, "dev").outcome.value
    assert loaded is not None
    return loaded.project


@needs_copies
def test_what_comes_of_tests_is_the_same_in_a_copy(root: Path, project: Project) -> None:
    assert _alone(_BOTH_WAYS, str(root)).split() == [str(len(project.trials)), "True"]


_WITHOUT_AN_END = """
import os
from journeylang.trial.apart import begun_apart
here = os.getpid()
def work():
    if os.getpid() != here:
        raise SystemExit(0)
    return "done here"
def large():
    return "x" * 10_000_000
asked, other = begun_apart(work), begun_apart(large)
assert len(other()) == 10_000_000
print(asked())
"""


@needs_copies
def test_what_a_copy_does_not_bring_to_an_end_is_done_here() -> None:
    assert _alone(_WITHOUT_AN_END) == "done here\n"


_UNHEARD = """
import signal
from journeylang.trial.apart import begun_apart
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(begun_apart(lambda: "done")())
"""
_NO_MORE_PROCESSES = """
import os
from journeylang.trial import apart
def fork():
    raise BlockingIOError(11, "Resource temporarily unavailable")
before = os.listdir("/proc/self/fd")
os.fork = fork
asked = apart.begun_apart(lambda: "done")
assert os.listdir("/proc/self/fd") == before
print(asked())
"""


@needs_copies
@pytest.mark.parametrize("code", [_UNHEARD, _NO_MORE_PROCESSES])
def test_where_a_copy_cannot_be_had_it_is_done_here(code: str) -> None:
    assert _alone(code) == "done\n"


_WITH_A_DATABASE = """
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.trial.apart import can_be_copied
before = can_be_copied()
engine = DuckDbEngine.open(":memory:")
engine.execute("SET threads = 2")
engine.query("SELECT count(*) FROM range(1000000)")
print(before, can_be_copied())
"""


@needs_copies
def test_a_process_with_threads_is_not_copied() -> None:
    assert _alone(_WITH_A_DATABASE).split() == ["True", "False"]


@pytest.mark.parametrize(("processors", "parts"), [(1, 1), (2, 2), (16, 5)])
def test_each_journeys_tests_stay_together(
    project: Project, monkeypatch: pytest.MonkeyPatch, processors: int, parts: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    trials = project.trials
    assert len(trials) >= APART
    together, alone = companies(project, trials)
    assert not alone
    assert len(together) == parts
    of = [{trials[n].journey for n in one.places} for one in together]
    assert sum(map(len, of)) == len(set().union(*of))
    assert sorted(n for one in together for n in one.places) == list(range(len(trials)))
    few = trials[: APART - 1]
    assert len(companies(project, few)[0]) == 1
