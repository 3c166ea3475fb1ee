"""Every built-in provider's manifest is right, and makes what its example says."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.loading.providers import Found, find, providers, read

BUILT_IN = providers(None)


@pytest.mark.parametrize("found", BUILT_IN, ids=lambda found: found.name)
def test_a_built_in_provider(found: Found) -> None:
    outcome, _ = read(found)
    assert [one.message for one in outcome.diagnostics] == []
    assert outcome.value is not None
    manifest, example = outcome.value.manifest, outcome.value.example
    assert example is not None
    if manifest.kind == "http":
        assert manifest.documentation is not None or manifest.calls
        assert example.request is not None
        assert (example.batch is None) == (manifest.batch is None)
        told = {one.outcome for one in example.answers}
        assert {"accepted", "auth", "throttle"} <= told
        assert {one.outcome for one in manifest.response.rules} <= told, "a rule without a case"
    if manifest.webhook is not None:
        names = {event["name"] for told in example.webhooks for event in told.events}
        assert names, "webhooks without a case"


GOOD = """name = "mine"
kind = "http"
title = "Mine"
channels = ["sms"]
keyed = false

[settings.token]
type = "secret"
help = "who asks"

[request]
base = "https://api.mine.example"
path = "/send"
body = { to = "{{ message.to }}" }
"""


def problems(root: Path, text: str, example: str | None = None) -> list[tuple[str, str, int]]:
    """(message, help, line) of each finding."""
    folder = root / "providers" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provider.toml").write_text(text)
    if example is not None:
        (folder / "example.json").write_text(example)
    found = find(root, "mine")
    assert isinstance(found, Found)
    assert not found.built_in
    outcome, sources = read(found)
    made = []
    for one in outcome.diagnostics:
        assert one.code.name == "bad-provider"
        line = 0 if one.span is None else sources[one.span.path].position(one.span.start)[0]
        made.append((one.message, one.help, line))
    return made


def test_a_good_one(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ('"http"', '"htpp"', "`kind`: input should be", 2),
        ("title", "titel", "`title` is missing", 0),
        ("{{ message.to }}", "{{ mesage.to }}", "asks for `mesage`, which is not there", 14),
        ("{{ message.to }}", "{{ message.two }}", "asks for `message.two`", 14),
        ("{{ message.to }}", "{{ settings.tokn }}", "asks for `settings.tokn`", 14),
        ("{{ message.to }}", "{{ call.id }}", "asks for `call`, which is not there", 14),
        ("{{ message.to }}", "{{ message.to", "`request.body.to`: not understood", 14),
        ('path = "/send"', 'path = "send"', "`request.path`: string should match", 13),
        ("keyed = false", "keyed = false\nkey_hours = 24", "`key_hours` without `keyed`", 1),
        ('"mine"', '"yours"', "`name` is `yours`, and the folder is `mine`", 1),
        ('channels = ["sms"]', "", "it carries nothing", 1),
        ("[request]", "[reqest]", "there is no key `reqest`", 11),
        ("https:", "{{ message.to }}:", "`request.base` asks for `message`", 12),
        ("title", "titel", "there is no key `titel`", 3),
    ],
)
def test_what_is_wrong_has_a_place(
    tmp_path: Path, old: str, new: str, words: str, line: int
) -> None:
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert found
    assert any(words in message for message, _, _ in found), found
    assert line == 0 or line in {at for _, _, at in found}, found


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ('[[response.rules]]\noutcome = "accepted"\n', "a rule has a `status`"),
        ('[[response.rules]]\nstatus = [600]\noutcome = "accepted"\n', "`600` is no status"),
        ('[[response.rules]]\nstatus = [200]\noutcome = "fine"\n', "response.rules.0.outcome"),
        (
            '[[response.rules]]\nwhere = { "body:a" = { matches = "(" } }\noutcome = "retry"\n',
            "no regular expression",
        ),
        ('[response]\nid = ["answer.id"]\n', "`answer.id` is no place"),
        ('[limits]\nrate = "10 per s"\n', "is no rate like"),
        ('[webhook]\nsignature = { kind = "magic" }\n', "webhook.signature"),
        ("[batch]\nsize = 1\n", "`batch.size`"),
        (
            '[batch]\nsize = 5\nbody = { all = "{{ message.to }}" }\n',
            "asks for `message`, which is not there",
        ),
        (
            '[batch]\nsize = 5\npath = "/all/{{ items | length }}"\n',
            "`batch.path` asks for `items`, which is not there",
        ),
        (
            '[batch]\nsize = 5\nheaders = { X-All = "{{ items }}" }\n',
            "`batch.headers.X-All` asks for `items`, which is not there",
        ),
    ],
)
def test_what_else_is_wrong(tmp_path: Path, tail: str, words: str) -> None:
    found = problems(tmp_path, f"{GOOD}\n{tail}")
    assert any(words in message for message, _, _ in found), found


def test_what_an_example_has_otherwise(tmp_path: Path) -> None:
    example = """{"message": {"channel": "sms", "to": "+1", "text": "x"},
 "request": {"url": "https://api.mine.example/send", "body": {"to": "+2", "x": 1}},
 "answers": [{"status": 500, "outcome": "accepted"}]}"""
    found = problems(tmp_path, GOOD, example)
    assert [message.partition(", as")[0] for message, _, _ in found] == [
        '`request.body.to` is "+1", not "+2"',
        "`request.body.x` is missing",
        '`answers.0.outcome` is "unknown", not "accepted"',
    ]


def test_a_project_may_replace_a_built_in_one(tmp_path: Path) -> None:
    folder = tmp_path / "providers" / "smtp"
    folder.mkdir(parents=True)
    (folder / "provider.toml").write_text(GOOD.replace('"mine"', '"smtp"'))
    assert [one.built_in for one in providers(tmp_path) if one.name == "smtp"] == [False]
