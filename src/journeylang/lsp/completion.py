"""What could stand at a place: the words that the grammar takes there, and the project's names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from lsprotocol import types as lsp

from journeylang.classes import dataclass
from journeylang.lsp.names import BUILT_IN, Names
from journeylang.source import Source
from journeylang.syntax.automaton import acceptable, feed, resolved
from journeylang.syntax.expressions import AGGREGATES
from journeylang.syntax.grammar import tables
from journeylang.syntax.scan import scan

TRIGGERS = (".", '"', "/", " ")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
_OF_CUSTOMER = re.compile(r"\b(customer|entry|profile)\.[A-Za-z_0-9]*$")
_Kind = lsp.CompletionItemKind

_ITEMS = {
    "event": _Kind.Event,
    "segment": _Kind.Class,
    "metric": _Kind.Function,
    "field": _Kind.Field,
    "parameter": _Kind.Variable,
    "profile": _Kind.Variable,
    "channel": _Kind.EnumMember,
    "template": _Kind.File,
    "step": _Kind.Reference,
    "journey": _Kind.Module,
    "fragment": _Kind.Module,
}

_BEHIND = {
    "segment": "segment",
    "joins": "segment",
    "policy": "policy",
    "include": "fragment",
    "start": "journey",
    "about": "topic",
    "send": "channel",
    "via": "channel",
    "quiet": "channel",
    "capacity": "channel",
    "cap": "channel",
    "invoke": "",
    "goal": "event",
    "after": "event",
}
"""What a name behind a word is; `` where nothing of the project can stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The tokens before a place, and what can come next."""

    words: list[str]
    kinds: list[str]
    possible: frozenset[str]

    def back(self, count: int) -> str:
        return self.words[-count] if len(self.words) >= count else ""


def complete(
    source: Source, offset: int, names: Names, templates: Callable[[str], Iterable[str]]
) -> list[lsp.CompletionItem]:
    """Proposals for the word at a place. ``templates`` names the templates of a channel."""
    before = source.text[:offset]
    if not source.path.endswith(".journey"):
        return _in_template(before, names)
    word = _WORD.search(before)
    start = offset if word is None else word.start()
    line = before.rsplit("\n", 1)[-1]
    if line.count('"') % 2:
        return _in_string(before, names, templates)
    if "#" in line.split('"')[0]:
        return []
    place = _place(Source(path=source.path, text=before[:start]))
    found = [_item(name, kind) for kind, name in _names(place, names, source.path, offset)]
    words = {word for word, kind in tables().keywords.items() if kind in place.possible}
    known = {item.label for item in found}
    found += [
        lsp.CompletionItem(label=word, kind=_Kind.Keyword, sort_text=f"2{word}")
        for word in sorted(words - known)
    ]
    return found


def _item(name: str, kind: str) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=name, kind=_ITEMS.get(kind, _Kind.Value), detail=kind, sort_text=f"1{name}"
    )


def _in_template(before: str, names: Names) -> list[lsp.CompletionItem]:
    found = _OF_CUSTOMER.search(before)
    if found is None:
        return []
    match found.group(1):
        case "customer":
            return [_item(name, "field") for name in names.of_kind("field", "customers")]
        case "profile":
            return [_item(name, "profile") for name in names.of_kind("profile")]
        case _:
            return []


def _in_string(
    before: str, names: Names, templates: Callable[[str], Iterable[str]]
) -> list[lsp.CompletionItem]:
    """A template's name behind its channel."""
    head, _, _ = before.rpartition('"')
    word = _WORD.search(head.rstrip())
    if word is None or word.group() not in names.of_kind("channel"):
        return []
    return [_item(name, "template") for name in templates(word.group())]


def _place(source: Source) -> _Place:
    """The declaration that a place stands in, read up to there; what has no place is left out."""
    tokens = scan(source)
    text = source.text
    words = [text[a:b] for a, b in zip(tokens.starts[:-1], tokens.ends[:-1], strict=True)]
    kinds = tokens.kinds[:-1]
    first = _last_declaration(source, kinds, words, tokens.starts)
    states = [tables().starts["file"]]
    for index in range(first, len(kinds)):
        ahead = states.copy()
        if feed(ahead, resolved(kinds[index], words[index], states[-1])):
            states = ahead
    return _Place(words=words[first:], kinds=kinds[first:], possible=frozenset(acceptable(states)))


def _last_declaration(source: Source, kinds: list[str], words: list[str], starts: list[int]) -> int:
    """The index of the token that begins the last declaration."""
    from journeylang.syntax.explain import DECLARATIONS

    keywords = tables().keywords
    depth = 0
    last = 0
    for index, kind in enumerate(kinds):
        if kind == "LBRACE":
            depth += 1
        elif kind == "RBRACE":
            depth = max(depth - 1, 0)
        elif keywords.get(words[index]) in DECLARATIONS:
            column = source.position(starts[index])[1]
            if depth == 0 or column == 1:
                last, depth = index, 0
    return last


def _names(place: _Place, names: Names, path: str, offset: int) -> Iterator[tuple[str, str]]:
    """Kind and name of everything of the project that could stand here."""
    owner = _owner(names, path, offset)
    previous = place.back(1)
    if previous == ".":
        yield from _fields(place.back(2), names, owner)
        return
    # Behind the word that begins a declaration a new name is made up.
    kind = _kind(place) if len(place.words) > 1 else None
    if kind is not None:
        yield from ((kind, name) for name in names.of_kind(kind) if kind)
        if kind == "event":
            yield from (("event", name) for name in sorted(BUILT_IN))
        return
    if "NAME" not in place.possible and "STRING" not in place.possible:
        return
    if previous == "of":
        yield from _of(place, names, owner)
        return
    if previous == "{" or (place.kinds and place.kinds[-1] == "STRING"):
        yield from (("channel", name) for name in names.of_kind("channel"))
    if "STRING" in place.possible and "LPAR" in place.possible:
        event = _event_in_scope(place, names)
        if event:
            yield from (("field", name) for name in names.of_kind("field", event))
        yield from (("parameter", name) for name in names.of_kind("parameter", owner))
        yield from (("metric", name) for name in names.of_kind("metric"))
        yield from (("function", name) for name in (*sorted(AGGREGATES), "age"))
        yield from (("value", name) for name in ("customer", "entry", "profile"))


def _kind(place: _Place) -> str | None:
    """What a name here must be, by the words before it; None where that is not sure."""
    previous, before = place.back(1), place.back(2)
    if previous == "(":
        if before == "promo":
            return "promo"
        return "event" if before in AGGREGATES else None
    if previous == ":" and before == "consent":
        return "consent"
    if previous == "on" and place.kinds[-1] != "STRING":
        return "event" if before in ("enter", "{", "}") or before == "goal" else None
    if previous == "for":
        if before == "wait":
            return "event"
        return "journey" if place.kinds[-2:-1] == ["STRING"] else "segment"
    if previous == "in" and before == "moved":
        return "journey"
    if previous == "given":
        return "event"
    if previous in ("preferred", "cheapest", "best"):
        return ""
    return _BEHIND.get(previous)


def _of(place: _Place, names: Names, owner: str) -> Iterator[tuple[str, str]]:
    match place.back(2):
        case "redeemed":
            yield from (("promo", name) for name in names.of_kind("promo"))
        case count if count.isdigit():
            yield from (("catalog", name) for name in names.of_kind("catalog"))
        case _:
            for name in names.of_kind("step", owner):
                yield "step", name
            yield from (("channel", name) for name in names.of_kind("channel"))


def _fields(of: str, names: Names, owner: str) -> Iterator[tuple[str, str]]:
    match of:
        case "customer":
            yield from (("field", name) for name in names.of_kind("field", "customers"))
        case "profile":
            yield from (("profile", name) for name in names.of_kind("profile"))
        case "entry":
            event = names.entries.get(owner, "")
            yield from (("field", name) for name in names.of_kind("field", event) if event)
            yield from (("parameter", name) for name in names.of_kind("parameter", owner))
        case _:
            yield from (("field", name) for name in names.of_kind("field", of))


def _owner(names: Names, path: str, offset: int) -> str:
    """The journey or fragment that a place is in, or behind."""
    owner = ""
    for mention in names.by_file.get(path, ()):
        symbol = mention.meant[0]
        if mention.span.start > offset:
            break
        if mention.defines and symbol.kind in ("journey", "fragment"):
            owner = symbol.name
    return owner


def _event_in_scope(place: _Place, names: Names) -> str:
    """The event of the `where` that a place is behind, if no other statement has begun since."""
    events = {*names.of_kind("event"), *names.of_kind("catalog")}
    depth = 0
    for index in range(len(place.words) - 1, -1, -1):
        word = place.words[index]
        if word == ")":
            depth += 1
        elif word == "(":
            depth -= 1
        elif word in ("{", "}") and depth <= 0:
            return ""
        elif word == "where" and depth <= 0:
            before = place.words[:index][::-1]
            return next((w for w in before[:6] if w in events), "")
    return ""
