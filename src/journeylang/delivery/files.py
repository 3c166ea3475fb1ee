"""Provider `file`: every message, and every call, is a file in a folder.

`<folder>/<channel>/<id>.eml` or `.json`, of a call `<folder>/invoke/<id>.json` with one line.
(One folder per channel: spread over some hundred
folders, making a file takes ten times as long on ext4.) The name is the public message id,
so that a message sent again after a crash overwrites itself; it is written under another
name first and renamed, so that half a file is never seen. Files are readable by their owner
alone, for they hold addresses.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.delivery import boxes
from journeylang.delivery.mime import Email, to_bytes
from journeylang.delivery.outcome import Accepted, Answer, TryLater
from journeylang.delivery.provider import Call, Finished, Note, Outgoing, Preparer


class FileProvider:
    """Writes into `folder`, which is made when it is missing."""

    key_life: timedelta | None = None
    rate = 0.0

    def __init__(
        self, folder: Path, *, name: str = "file", in_flight: int = 2000, form: str = "each"
    ) -> None:
        """`form`: `each` message is a file, or they are together in `mbox` or `lines`."""
        self.folder = folder
        self.form = form
        self.keyed = form == "each"
        self.name = name
        self.in_flight = in_flight
        self._made: set[str] = set()

    def open(self) -> TryLater | None:
        """See `Provider`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return _unwritable(error)
        self._made.clear()
        return None

    def preparer(self) -> Preparer:
        """See `Provider`."""
        return Contents(self.form)

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`. The provider's id is the file's path below the folder."""
        if self.form != "each":
            self._together(messages, answers)
            return
        for n, message in enumerate(messages):
            try:
                answers[message.id] = Accepted(provider_id=self._write(message))
            except OSError as error:
                # A full disk is full for the next message too.
                answers |= {rest.id: _unwritable(error) for rest in messages[n:]}
                return

    def close(self) -> None:
        """See `Provider`."""

    def _together(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """What is handed over together is of one channel."""
        stem = boxes.name(messages)
        mails = []
        if self.form == "mbox" and _channel(messages[0]) == "email":
            mails = [one for one in messages if isinstance(one, Email | Finished)]
        try:
            if mails:
                name = self._save("email", f"{stem}.mbox", boxes.mailbox(mails))
            else:
                name = self._save(_channel(messages[0]), f"{stem}.jsonl", boxes.lines(messages))
        except OSError as error:
            answers |= {one.id: _unwritable(error) for one in messages}
            return
        answers |= dict.fromkeys([one.id for one in messages], Accepted(provider_id=name))

    def _write(self, message: Outgoing) -> str:
        assert message.id.isalnum(), "a public message id is hexadecimal"
        extension = "eml" if _channel(message) == "email" else "json"
        content = _content(message)
        return self._save(_channel(message), f"{message.id}.{extension}", content)

    def _save(self, channel: str, file: str, content: bytes) -> str:
        if channel not in self._made:
            (self.folder / channel).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made.add(channel)
        name = f"{channel}/{file}"
        path = f"{self.folder}/{name}"
        handle = os.open(f"{path}.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            while content:
                content = content[os.write(handle, content) :]
        finally:
            os.close(handle)
        os.replace(f"{path}.part", path)  # noqa: PTH105 - a Path costs as much as the renaming
        return name


@dataclass(frozen=True, slots=True)
class Contents:
    """A message as it stands in a file of a form."""

    form: str

    def __call__(self, one: Email | Note) -> bytes:
        match self.form:
            case "each":
                return _content(one)
            case "mbox" if isinstance(one, Email):
                return boxes.mail(one)
            case _:
                return boxes.line(one)


def _content(message: Outgoing) -> bytes:
    match message:
        case Finished():
            return bytes(message.content)
        case Email():
            return to_bytes(message)
        case Note():
            return _json(message)
        case Call():
            return _line(message)
        case _:
            assert_never(message)


def _channel(message: Outgoing) -> str:
    match message:
        case Email():
            return "email"
        case Note() | Finished():
            return message.channel
        case Call():
            return "invoke"
        case _:
            assert_never(message)


def _json(note: Note) -> bytes:
    fields = {
        "id": note.id,
        "channel": note.channel,
        "to": note.to,
        "at": note.at.replace(tzinfo=note.at.tzinfo or UTC).isoformat(),
        "subject": note.subject or None,
        "text": note.text,
        "html": note.html,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    text = json.dumps(present, ensure_ascii=False, indent=2) + "\n"
    return text.encode("utf-8", "replace")


def _line(call: Call) -> bytes:
    return f"{call.to_json()}\n".encode("utf-8", "replace")


def _unwritable(error: OSError) -> TryLater:
    reason = error.strerror or type(error).__name__
    return TryLater(detail=f"the outbox cannot be written: {reason.lower()}", of_channel=True)
