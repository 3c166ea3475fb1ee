"""The addresses in a template: what becomes part of a link, and so of other people's logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

Range = tuple[int, int]

_ATTRIBUTE = re.compile(
    r"\b(?:href|src|srcset|action|formaction|background|poster)\s*=\s*([\"'])", re.IGNORECASE
)
_CALL = re.compile(r"\blink\s*\(")
_PICTURE = re.compile(r"\bqr(?=\s*\()")
_BARE = re.compile(r"https?://", re.IGNORECASE)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_OUTPUT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_OF_A_DEVICE = re.compile(r"\s*(?:mailto|tel|sms|cid|data):", re.IGNORECASE)
_ENDS_A_LINK = frozenset(" \t\r\n\f<>\"'")


def linked(text: str) -> Iterator[Range]:
    """The parts of `{{ … }}` that go into a web address: in an attribute, in `link(…)`, or bare.

    Not those of `mailto:` and `tel:`, which the reader's own device opens. May say a place twice.
    """
    text = _COMMENT.sub(lambda found: " " * len(found[0]), text)
    for start, end in _addresses(text):
        for output in _OUTPUT.finditer(text, start, end):
            yield output.start(1), output.end(1)
    for output in _OUTPUT.finditer(text):
        for call in _CALL.finditer(text, output.start(1), output.end(1)):
            yield call.end(), _closing(text, call.end(), output.end(1))


def pictures_for_addresses(text: str) -> Iterator[Range]:
    """Where `qr(…)`, which makes a whole picture, stands as the address of one."""
    text = _COMMENT.sub(lambda found: " " * len(found[0]), text)
    for attribute in _ATTRIBUTE.finditer(text):
        end = _end(text, attribute.end(), frozenset(attribute[1]))
        for output in _OUTPUT.finditer(text, attribute.end(), end):
            for call in _PICTURE.finditer(text, output.start(1), output.end(1)):
                yield call.span()


def _addresses(text: str) -> Iterator[Range]:
    for attribute in _ATTRIBUTE.finditer(text):
        end = _end(text, attribute.end(), frozenset(attribute[1]))
        if not _OF_A_DEVICE.match(text, attribute.end(), end):
            yield attribute.end(), end
    for begin in _BARE.finditer(text):
        yield begin.start(), _end(text, begin.end(), _ENDS_A_LINK)


def _end(text: str, start: int, ends: frozenset[str]) -> int:
    """Where one of the characters stands, outside of what Jinja replaces."""
    at = start
    while at < len(text):
        if text[at] in ends:
            return at
        jinja = _JINJA.match(text, at) if text[at] == "{" else None
        at = jinja.end() if jinja is not None else at + 1
    return at


def _closing(text: str, start: int, end: int) -> int:
    """The parenthesis that closes a call, strings left out; the end if there is none."""
    depth, quote, at = 1, "", start
    while at < end:
        letter = text[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return at
        at += 1
    return end
