"""Providers' manifests, channels' settings, and what is said when they are wrong."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from journeylang import resources
from journeylang.delivery.channels import open_channels
from journeylang.delivery.files import FileProvider
from journeylang.delivery.manifest import (
    ManifestError,
    SettingError,
    per_second,
    read_manifest,
    read_settings,
)
from journeylang.delivery.outcome import Answer
from journeylang.delivery.provider import Note
from journeylang.delivery.smtp import SmtpProvider

BUILT_IN = sorted(path.parent.name for path in resources.providers().glob("*/provider.toml"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_manifests_and_their_examples(name: str) -> None:
    folder = resources.providers() / name
    manifest = read_manifest(folder / "provider.toml")
    assert manifest.name == name
    example = json.loads((folder / "example.json").read_text())
    variables = {
        str(value).removeprefix("env:"): "x"
        for value in example["settings"].values()
        if str(value).startswith("env:")
    }
    assert read_settings(manifest, example["settings"], variables)
    assert all(setting.help for setting in manifest.settings.values())


def test_a_file_is_written_as_its_example_says(tmp_path: Path) -> None:
    example = json.loads((resources.providers() / "file" / "example.json").read_text())
    fields = example["message"] | {"at": datetime.fromisoformat(example["message"]["at"])}
    provider = FileProvider(tmp_path / example["settings"]["folder"])
    answers: dict[str, Answer] = {}
    assert provider.open() is None
    provider.send([Note(**fields)], answers)
    assert json.loads((tmp_path / example["written"]).read_text()) == example["message"]
    assert "outbox/" + answers[fields["id"]].provider_id == example["written"]  # type: ignore[union-attr]


def test_there_are_file_and_smtp() -> None:
    assert {"file", "smtp"} <= set(BUILT_IN)


SMTP = {"provider": "smtp", "host": "mail.example", "from": "Acme <hello@acme.example>"}


def test_channels_of_an_environment(tmp_path: Path) -> None:
    outcome = open_channels(
        {
            "sms": "file",
            "email": SMTP
            | {"password": "env:P", "rate": "120/m", "return_path": "Bounce <b@a.example>"}
            | {"on_unknown": "retry", "postal_address": "Acme GmbH"},
        },
        root=tmp_path,
        environment={"P": "s3cret"},
    )
    assert outcome.ok
    assert outcome.value is not None
    sms, email = outcome.value["sms"], outcome.value["email"]
    assert isinstance(sms.provider, FileProvider)
    assert sms.provider.folder == tmp_path / "outbox"
    assert sms.on_unknown == "hold"
    assert isinstance(email.provider, SmtpProvider)
    server = email.provider.server
    assert (server.password, server.per_second, server.return_path) == (
        "s3cret",
        2.0,
        "b@a.example",
    )
    assert "s3cret" not in repr(email)
    assert email.on_unknown == "retry"
    assert email.letterhead.postal_address == "Acme GmbH"


@pytest.mark.parametrize(
    ("channel", "given", "code", "words"),
    [
        ("email", "flie", "unknown-provider", "unknown provider `flie`"),
        ("email", "../file", "unknown-provider", "unknown provider"),
        ("sms", SMTP, "unknown-provider", "does not carry the channel `sms`"),
        ("email", {"host": "x"}, "bad-config", "`provider` is missing"),
        ("email", SMTP | {"hots": "x"}, "bad-config", "no setting `hots`"),
        ("email", {"provider": "smtp", "from": "a@b.c"}, "bad-config", "`host` is missing"),
        ("email", SMTP | {"port": 70000}, "bad-config", "`port` is not between"),
        ("email", SMTP | {"port": "x"}, "bad-config", "`port` is no whole number"),
        ("email", SMTP | {"port": True}, "bad-config", "`port` is no whole number"),
        ("email", SMTP | {"starttls": "maybe"}, "bad-config", "`starttls` is none of"),
        ("email", SMTP | {"rate": "fast"}, "bad-config", "`rate` is no rate"),
        ("email", SMTP | {"from": "nobody"}, "bad-config", "`from` is no address"),
        ("email", SMTP | {"password": "s3cret"}, "bad-config", "`password` is a secret"),
        ("email", SMTP | {"password": "env:NONE"}, "secret-missing", "names NONE"),
        ("email", SMTP | {"on_unknown": "drop"}, "bad-config", "`on_unknown` is"),
        ("email", {"provider": "file", "folder": ""}, "bad-config", "`folder` is no text"),
    ],
)
def test_settings_that_are_wrong(
    tmp_path: Path, channel: str, given: Any, code: str, words: str
) -> None:
    outcome = open_channels({channel: given}, root=tmp_path, environment={})
    (problem,) = outcome.diagnostics
    assert problem.code.name == code
    assert words in problem.message
    assert "s3cret" not in problem.message
    assert outcome.value == {}


def test_a_slip_is_guessed(tmp_path: Path) -> None:
    (problem,) = open_channels({"email": "flie"}, root=tmp_path, environment={}).diagnostics
    assert problem.help == "did you mean `file`?"


def test_a_provider_of_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "providers" / "archive"
    folder.mkdir(parents=True)
    manifest = (resources.providers() / "file" / "provider.toml").read_text()
    (folder / "provider.toml").write_text(manifest.replace('"file"\nkind', '"archive"\nkind'))
    outcome = open_channels(
        {"email": {"provider": "archive", "folder": "kept"}}, root=tmp_path, environment={}
    )
    assert outcome.ok
    assert outcome.value is not None
    assert outcome.value["email"].provider.name == "archive"


GOOD = 'name = "x"\nkind = "file"\ntitle = "X"\nchannels = ["*"]\nkeyed = true\nin_flight = 5\n'
FOLDER = '[settings.folder]\ntype = "text"\nhelp = "h"\ndefault = "o"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name =", "no TOML"),
        ('kind = "file"', "`name` is missing"),
        (GOOD.replace('"file"', '"htpp"'), "`kind`"),
        (GOOD + "colour = 1\n", "`colour`"),
        (GOOD, "needs the setting `folder`"),
        (GOOD + FOLDER.replace('"text"', '"txt"'), "`settings.folder.type`"),
        (GOOD + FOLDER.replace('"o"', "5"), "`folder` is no text"),
        (GOOD + FOLDER.replace('"text"', '"choice"'), "`folder` is none of"),
        (GOOD.replace("5", "0") + FOLDER, "`in_flight`"),
    ],
)
def test_manifests_that_are_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "provider.toml"
    path.write_text(text)
    with pytest.raises(ManifestError) as error:
        read_manifest(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_broken_manifest_is_a_diagnostic(tmp_path: Path) -> None:
    folder = tmp_path / "providers" / "mine"
    folder.mkdir(parents=True)
    (folder / "provider.toml").write_text("name =")
    (problem,) = open_channels({"email": "mine"}, root=tmp_path, environment={}).diagnostics
    assert problem.code.name == "bad-provider"


def test_rates() -> None:
    assert per_second("100/s") == 100.0
    assert per_second("90/m") == 1.5
    assert per_second("3600 / h") == 1.0
    assert per_second("0/s") == per_second("1/d") == per_second("x") == 0.0


def test_unknown_settings_are_never_ignored() -> None:
    manifest = read_manifest(resources.providers() / "file" / "provider.toml")
    with pytest.raises(SettingError):
        read_settings(manifest, {"foldr": "x"}, {})


def test_an_outbox_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    refusal = FileProvider(tmp_path / "outbox").open()
    assert refusal is not None
    assert refusal.of_channel
    assert refusal.detail == "the outbox cannot be written: file exists"
