"""Providers of the kind `set`: what is handed over together becomes one file of rows.

For people and machines that work through lists: a call centre, a printing house, an advertising
network. Files are written under another name first and renamed, readable by their owner alone.
A file has the name of its rows, so that the same rows again replace it; rows whose sender was
killed are in doubt all the same, for the next delivery may put them together with others.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from journeylang.delivery.declared import Set
from journeylang.delivery.letters import LetterError, Letters
from journeylang.delivery.manifest import Manifest, SettingError, SettingValue
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater
from journeylang.delivery.provider import Note, Outgoing
from journeylang.delivery.scope import scope_of
from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError

_NUMBER = re.compile(r"[+-]?[\d ().,/-]+")


class SetProvider:
    """Writes into `folder`, which is made when it is missing."""

    keyed = False
    rate = 0.0
    key_life: timedelta | None = None

    def __init__(
        self, manifest: Manifest, settings: Mapping[str, SettingValue], root: Path
    ) -> None:
        """Raises SettingError."""
        assert manifest.set is not None, "a manifest of the kind `set`"
        self.declared: Set = manifest.set
        self.name = manifest.name
        self.in_flight = manifest.in_flight
        self.folder = root / str(settings["folder"])
        self.settings: dict[str, object] = dict.fromkeys(manifest.settings) | dict(settings)
        try:
            self._row = Shape(dict(self.declared.columns), path="set.columns")
        except ShapeError as error:
            raise SettingError(f"provider `{manifest.name}`: {error}") from None
        self._letters: Letters | None = None
        if self.declared.letters:
            font, sender = settings.get("font"), settings.get("postal_address")
            self._letters = Letters(
                font=None if font is None else root / str(font),
                sender=None if sender is None else str(sender),
            )

    def open(self) -> Refused | TryLater | None:
        """See `Provider`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return _unwritable(error)
        return None

    def preparer(self) -> None:
        """See `Provider`."""

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`. The provider's id is the file's name and the row in it."""
        rows: list[tuple[Note, dict[str, Any]]] = []
        pages = []
        for one in messages:
            assert isinstance(one, Note), "a set carries messages that are no e-mail"
            try:
                row = self._row.render({"settings": self.settings, **scope_of(one)}) or {}
                page = (
                    None
                    if self._letters is None
                    else self._letters.page(one.to, one.text, one.html)
                )
            except (ShapeFailedError, LetterError) as error:
                answers[one.id] = Refused(kind="rejected", detail=f"the row {error}")
                continue
            if not row:
                answers[one.id] = Refused(kind="rejected", detail="the row has nothing in it")
                continue
            rows.append((one, row))
            pages.append(page)
        if not rows:
            return
        ids = "\0".join(one.id for one, _ in rows)
        day = f"{rows[0][0].at:%Y-%m-%d}"
        stem = f"{self.declared.file}-{day}-{hashlib.sha256(ids.encode()).hexdigest()[:12]}"
        try:
            if self._letters is not None:
                # Whoever waits for the rows finds the letters there already.
                made = [page for page in pages if page is not None]
                self._write(f"{stem}.pdf", self._letters.document(made))
            self._write(f"{stem}.csv", self._csv([row for _, row in rows]))
        except OSError as error:
            answers |= {one.id: _unwritable(error) for one, _ in rows}
            return
        for number, (one, _) in enumerate(rows, 1):
            answers[one.id] = Accepted(provider_id=f"{stem}.csv:{number}")

    def close(self) -> None:
        """See `Provider`."""

    def _csv(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(self.declared.columns), restval="", lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
        return out.getvalue().encode("utf-8", "replace")

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        part = self.folder / f"{name}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(path)


def _cell(value: Any) -> str:
    """What a program for tables would take for a formula is made a text."""
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text and not _NUMBER.fullmatch(text) else text


def _unwritable(error: OSError) -> TryLater:
    reason = error.strerror or type(error).__name__
    return TryLater(detail=f"the set cannot be written: {reason.lower()}", of_channel=True)
