"""The action's steps as GitHub runs them: the same scripts, settings and files; its API is near."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.git.sources import ROOT, committed, package, starter

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.slow


@dataclass(slots=True)
class Api:
    """Comments of one pull request, as GitHub keeps them."""

    address: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    refuses: int = 0


@pytest.fixture
def api() -> Iterator[Api]:
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, code: int, what: object) -> None:
            data = json.dumps(what).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def taken(self) -> dict[str, Any]:
            state.seen.append((self.command, self.path, self.headers["Authorization"]))
            length = int(self.headers["Content-Length"] or 0)
            return json.loads(self.rfile.read(length)) if length else {}

        def do_GET(self) -> None:
            self.taken()
            asked = parse_qs(urlsplit(self.path).query)
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            self.answer(200, state.comments[size * (page - 1) : size * page])

        def do_POST(self) -> None:
            body = self.taken()["body"]
            if state.refuses:
                self.answer(state.refuses, {"message": "Resource not accessible"})
                return
            state.comments.append({"id": 1000 + len(state.comments), "body": body})
            self.answer(201, state.comments[-1])

        def do_PATCH(self) -> None:
            body = self.taken()["body"]
            number = int(self.path.rpartition("/")[2])
            mine = next(one for one in state.comments if one["id"] == number)
            mine["body"] = body
            self.answer(200, mine)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A runner: the action's checkout, and a folder for what is made on the way."""

    action: Path
    temporary: Path

    def step(self, name: str, inputs: dict[str, str], more: dict[str, str], cwd: Path) -> int:
        step = next(one for one in ACTION["runs"]["steps"] if one["name"] == name)
        assert step["shell"] == "bash"
        given = {key: one.get("default", "") for key, one in ACTION["inputs"].items()} | inputs
        environment = {
            key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], value)
            for key, value in step["env"].items()
        }
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CI")}
        python = Path(sys.executable).parent
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=cwd,
            env=kept
            | environment
            | more
            | {
                "GITHUB_ACTION_PATH": str(self.action),
                "RUNNER_TEMP": str(self.temporary),
                "PATH": f"{python}:{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        print(done.stdout, done.stderr)
        (self.temporary / "printed").write_text(done.stdout, encoding="utf-8")
        return done.returncode

    def printed(self) -> str:
        return (self.temporary / "printed").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    root = tmp_path_factory.mktemp("action")
    made = Machine(action=package(root / "package"), temporary=root / "temporary")
    made.temporary.mkdir()
    # Without its extras: what is asked of it here needs none.
    step = ACTION["runs"]["steps"][1]
    assert step["name"] == "Install"
    assert made.step("Install", {"extras": "stats"}, {}, root) == 0
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a project of which everything is in order, a test of it too."""
    return committed(starter(tmp_path / "mine"))


def settings(api: Api, folder: Path) -> dict[str, str]:
    """What GitHub tells a step on pull request 7."""
    event = folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    return {
        "GITHUB_API_URL": api.address,
        "GITHUB_REPOSITORY": "acme/crm",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }


def outputs(folder: Path) -> dict[str, str]:
    lines = (folder / "output").read_text(encoding="utf-8").splitlines()
    return dict(line.partition("=")[::2] for line in lines)


INPUTS = {"project": "crm", "token": "secret-of-a-run"}


def test_all_is_well(machine: Machine, project: Path, api: Api, tmp_path: Path) -> None:
    more = settings(api, tmp_path)
    assert machine.step("Journeys", INPUTS, more, project) == 0
    made = outputs(tmp_path)
    assert json.loads(Path(made["sarif"]).read_text())["runs"][0]["results"] == []
    suite = ET.parse(made["junit"]).getroot()  # noqa: S314
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    (comment,) = api.comments
    assert comment["body"].startswith("<!-- journeylang crm -->\n## Journeys in `crm`")
    assert "### ✅ Check" in comment["body"]
    assert "### ✅ Tests" in comment["body"]
    assert (tmp_path / "summary").read_text(encoding="utf-8") in comment["body"]
    assert all(authorization == "Bearer secret-of-a-run" for _, _, authorization in api.seen)
    assert "secret-of-a-run" not in machine.printed()


def test_the_comment_is_edited_in_place(
    machine: Machine, project: Path, api: Api, tmp_path: Path
) -> None:
    """Behind a hundred others of a long discussion, and beside that of another project."""
    api.comments += [{"id": n, "body": "Nice"} for n in range(120)]
    api.comments.append({"id": 500, "body": "<!-- journeylang . -->\nAnother project's"})
    api.comments.append({"id": 501, "body": "<!-- journeylang crm -->\nOf an earlier run"})
    file = project / "crm" / "journeys" / "welcome.journey"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("expect no send nudge", "expect send nudge"), encoding="utf-8")
    assert machine.step("Journeys", INPUTS, settings(api, tmp_path), project) == 1
    assert len(api.comments) == 122
    assert api.comments[120]["body"].endswith("Another project's")
    assert "### ❌ Tests" in api.comments[121]["body"]
    assert "an order ends the welcome" in api.comments[121]["body"]


def test_findings_are_annotated(machine: Machine, project: Path, api: Api, tmp_path: Path) -> None:
    file = project / "crm" / "journeys" / "welcome.journey"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("enter on signed_up", "enter on singed_up"), encoding="utf-8")
    more = settings(api, tmp_path)
    assert machine.step("Journeys", INPUTS, more, project) == 1
    assert "::error file=crm/journeys/welcome.journey,line=" in machine.printed()
    results = json.loads(Path(outputs(tmp_path)["sarif"]).read_text())["runs"][0]["results"]
    assert {one["ruleId"] for one in results} >= {"JRN101"}
    (comment,) = api.comments
    assert "### ❌ Check" in comment["body"]
    assert "Tests" not in comment["body"]


def test_from_a_fork(machine: Machine, project: Path, api: Api, tmp_path: Path) -> None:
    """The token may only read: that is no fault of the journeys."""
    api.refuses = 403
    assert machine.step("Journeys", INPUTS, settings(api, tmp_path), project) == 0
    assert "::warning::The comment could not be written (403)" in machine.printed()
    assert "### ✅ Tests" in (tmp_path / "summary").read_text(encoding="utf-8")


def test_rehearsed_and_planned(machine: Machine, tmp_path: Path, api: Api) -> None:
    """On the demo's database, on a push: no comment, and all of it in the summary."""
    journey = machine.temporary / "journeylang" / "bin" / "journey"
    shop = tmp_path / "shop"
    subprocess.run(
        [journey, "demo", shop, "--customers", "200", "--days", "1", "--step", "12h"],
        check=True,
        capture_output=True,
    )
    more = settings(api, tmp_path)
    (tmp_path / "event.json").write_text("{}", encoding="utf-8")
    inputs = {"project": "shop", "simulate-days": "2", "plan": "true", "test": "false"}
    assert machine.step("Journeys", inputs, more, tmp_path) == 0
    told = (tmp_path / "summary").read_text(encoding="utf-8")
    assert "### ✅ 2 days to come, on the people of `dev`" in told
    assert "### ✅ What an apply to `dev` would do" in told
    assert api.seen == []
