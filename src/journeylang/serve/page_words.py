"""The words of the pages that people see, in their language.

Ten languages come with the package, `wordings/<locale>.toml`; a project's own `pages/<locale>.toml`
says some of them otherwise, titles of its channels and topics among them (`channel_<name>`,
`topic_<name>`), or speaks another language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import BAD_CONFIG
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean

FALLBACK = "en"
FOLDER = "pages"

_CHANNELS = frozenset({"email", "sms", "push", "post"})
"""Those that the package has titles for."""

LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_OWN = re.compile(r"(?:channel|topic)_[a-z][a-z0-9_]*")
_LONGEST = 500
_LONGEST_TAG = 35
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Of one language; `texts` has every word of the pages."""

    locale: str
    texts: Mapping[str, str]

    def title(self, kind: str, name: str, otherwise: str) -> str:
        """Of a channel or a topic."""
        said = self.texts.get(f"{kind}_{name}")
        if said is None and kind == "channel" and name in _CHANNELS:
            said = self.texts.get(name)
        return said or otherwise


class Wordings:
    """All that can be spoken: by locale in small letters, `de` or `de-at`."""

    def __init__(self, own: Mapping[str, Mapping[str, str]]) -> None:
        built_in = shipped()
        self._known: dict[str, Words] = {}
        for locale in dict.fromkeys([*built_in, *own]):
            parts = locale.split("-")
            # Nearest last: what a project says of `de` is said in `de-at` too.
            texts = dict(built_in[FALLBACK])
            for one in ("-".join(parts[:n]) for n in range(1, len(parts) + 1)):
                texts |= built_in.get(one, {})
                texts |= own.get(one, {})
            self._known[locale] = Words(locale=locale, texts=texts)

    def of(self, locale: str | None, accepted: str = "") -> Words:
        """By the customer's locale; else by the header `Accept-Language`; else in English."""
        for one in (*([locale] if locale else []), *_accepted(accepted)):
            tag = one.strip()[:_LONGEST_TAG].partition(".")[0].replace("_", "-").lower()
            while tag:
                if tag in self._known:
                    return self._known[tag]
                tag = tag.rpartition("-")[0]
        return self._known[FALLBACK]


@cache
def shipped() -> Mapping[str, Mapping[str, str]]:
    """Those that come with the package."""
    folder = files("journeylang.serve") / "wordings"
    return {
        one.name.removesuffix(".toml"): tomllib.loads(one.read_text(encoding="utf-8"))
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".toml")
    }


def wordings(root: Path) -> Outcome[Wordings]:
    """Those of a project: the package's, and its own files."""
    own: dict[str, dict[str, str]] = {}
    problems: list[Diagnostic] = []
    for file in sorted((root / FOLDER).glob("*.toml")):
        shown = f"{FOLDER}/{file.name}"
        locale = file.stem.replace("_", "-").lower()
        found = _read(file)
        if not LOCALE.fullmatch(locale):
            problems.append(_wrong(f"`{shown}` is named after no locale", "as `pages/de.toml`"))
        elif isinstance(found, str):
            problems.append(_wrong(f"`{shown}`: {found}", 'a line each: `save = "Save"`'))
        else:
            known = shipped()[FALLBACK]
            for name in found:
                if name not in known and not _OWN.fullmatch(name):
                    help_ = did_you_mean(name, known) or f"there are {', '.join(known)}"
                    problems.append(_wrong(f"`{shown}`: the pages have no `{name}`", help_))
            own[locale] = found
    if problems:
        return Outcome(value=None, diagnostics=tuple(problems))
    return Outcome(value=Wordings(own))


def _read(file: Path) -> dict[str, str] | str:
    """The words, or what is wrong with the file."""
    try:
        if file.stat().st_size > _LARGEST:
            return f"larger than {_LARGEST // 1024} KiB"
        found = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        return f"cannot be read ({type(error).__name__})"
    for name, text in found.items():
        if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
            return f"`{name}` is no text of 1 to {_LONGEST} characters"
    return found


def _accepted(header: str) -> list[str]:
    """Languages of `Accept-Language` (RFC 9110), the one that is liked best first."""
    liked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().lower().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag and tag != "*" and quality > 0:
            liked.append((-quality, tag))
    return [tag for _, tag in sorted(liked, key=lambda one: one[0])]


def _wrong(message: str, help_: str) -> Diagnostic:
    return Diagnostic(code=BAD_CONFIG, message=message, help=help_)
