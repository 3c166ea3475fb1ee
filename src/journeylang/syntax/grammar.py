"""The grammar, as tables for the scanner and the parser.

Lark reads ``grammar/journey.lark`` and makes the LALR(1) table, which takes most of a second.
What is needed of it is plain data, so it is kept as JSON in the user's cache folder and Lark
is not even imported the next time. JSON, because a pickle that somebody else could write would
be somebody else's code; and only in a folder that nobody else can write.

This is the one module of the compiler that opens files: the shipped grammar and that cache.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from journeylang import __version__, resources
from journeylang.classes import dataclass

_FORMAT = 1
"""Of the cached tables; raised when their shape changes without the grammar."""

STARTS = ("file", "block")
"""What can be parsed on its own: a whole file, and the steps in braces (for recovery)."""

Pick: TypeAlias = int
"""What becomes of a part: ``2 * i`` hands part i on, ``2 * i + 1`` its elements, -1 is a None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """What a completed rule does: ``size`` parts become one ``symbol``.

    ``action`` is the name of the function in ``syntax/build`` that makes the value of the
    ``picks``; empty for a list of them, and for a part that is handed on as it is (``only``).
    """

    symbol: str
    size: int
    action: str
    picks: tuple[Pick, ...]
    only: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Everything that scanner and parser know of the language.

    ``pattern`` has one named group for each kind of token, in order of their priorities, and
    skips blanks and comments before each. ``keywords`` are the words that the grammar quotes,
    by what they are called in ``states``; ``spelling`` is the inverse, with the signs.
    ``states[s]`` maps a kind to what to do: to go to state n (``n``), or to complete
    reduction n (``~n``).
    """

    pattern: str
    keywords: dict[str, str]
    spelling: dict[str, str]
    reductions: tuple[Reduction, ...]
    states: tuple[dict[str, int], ...]
    starts: dict[str, int]
    ends: dict[str, int]


@cache
def tables() -> Tables:
    """The tables of this version's grammar; made once in a process."""
    text = (resources.grammar() / "journey.lark").read_text(encoding="utf-8")
    key = hashlib.sha256(f"{_FORMAT} {__version__} {text}".encode()).hexdigest()[:24]
    file = cache_folder("grammar")
    file = file / f"{key}.json" if file else None
    plain = recall(file) if file else None
    if plain is None:
        plain = compile_grammar(text)
        if file:
            remember(file, plain)
    return _typed(plain)


def compile_grammar(text: str) -> dict[str, Any]:
    """The tables of a grammar, as JSON can hold them.

    Raises lark.exceptions.GrammarError when the grammar is no LALR(1) grammar.
    """
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    made = Lark(text, parser="lalr", lexer="contextual", start=list(STARTS))
    data, memo = made.memo_serialize([TerminalDef, Rule])
    table = data["parser"]["parser"]
    lexing = data["parser"]["lexer_conf"]
    terminals = [memo[reference["@"]] for reference in lexing["terminals"]]
    numbers: dict[int, int] = {}
    reductions: list[list[Any]] = []

    def action(what: int, argument: Any) -> int:
        if what == 0:
            return int(argument)
        number = numbers.setdefault(argument["@"], len(reductions))
        if number == len(reductions):
            reductions.append(_reduction(memo[argument["@"]]))
        return ~number

    states: list[dict[str, int]] = [{} for _ in table["states"]]
    for state, row in table["states"].items():
        made_row = {table["tokens"][at]: action(*entry) for at, entry in row.items()}
        # Lark walks through sets: sorted, so that messages are the same on every day.
        states[state] = dict(sorted(made_row.items()))
    return {
        "pattern": _pattern(terminals, set(lexing["ignore"])),
        "keywords": {
            t["pattern"]["value"]: t["name"]
            for t in terminals
            if t["pattern"]["__type__"] == "PatternStr" and t["pattern"]["value"][0].isalpha()
        },
        "spelling": {
            t["name"]: t["pattern"]["value"]
            for t in terminals
            if t["pattern"]["__type__"] == "PatternStr"
        },
        "reductions": reductions,
        "states": states,
        "starts": table["start_states"],
        "ends": table["end_states"],
    }


def _pattern(terminals: list[Any], ignored: set[str]) -> str:
    """One pattern for all tokens but the keywords, which the scanner finds among the names."""
    trivia = "|".join(t["pattern"]["value"] for t in terminals if t["name"] in ignored)
    tokens = [
        t
        for t in terminals
        if t["name"] not in ignored
        and not (t["pattern"]["__type__"] == "PatternStr" and t["pattern"]["value"][0].isalpha())
    ]

    def first(terminal: Any) -> tuple[bool, int, int]:
        signs = terminal["pattern"]["__type__"] == "PatternStr"
        # Signs first where priorities are equal, and the longer sign before its beginning.
        return (not signs, -terminal["priority"], -len(terminal["pattern"]["value"]))

    groups = []
    for terminal in sorted(tokens, key=first):
        value = terminal["pattern"]["value"]
        if terminal["pattern"]["__type__"] == "PatternStr":
            value = "".join("\\" + c for c in value)
        groups.append(f"(?P<{terminal['name']}>{value})")
    # What nothing matches is a token of one character, so that no text is left out.
    return f"(?>(?:{trivia})*)(?:{'|'.join(groups)}|(?P<STRANGE>(?s:.))|\\Z)"


def _reduction(rule: Any) -> list[Any]:
    """As Lark shapes its trees: quoted words are left out, ``_rules`` become their parts."""
    parts = rule["expansion"]
    options = rule["options"]
    missing = options["empty_indices"] or [False] * len(parts)
    picks: list[Pick] = []
    at = 0
    for is_missing in missing:
        if is_missing:
            picks.append(-1)
            continue
        part = parts[at]
        if part["__type__"] == "NonTerminal":
            picks.append(2 * at + part["name"].startswith("_"))
        elif options["keep_all_tokens"] or not part["filter_out"]:
            picks.append(2 * at)
        at += 1
    symbol = rule["origin"]["name"]
    action = rule["alias"] or symbol
    only = None
    if not rule["alias"] and options["expand1"] and len(picks) == 1 and picks[0] % 2 == 0:
        only = picks[0] // 2
        action = ""
    if symbol.startswith("_"):
        action = ""
    return [symbol, len(parts), action, picks, only]


def _typed(plain: Mapping[str, Any]) -> Tables:
    return Tables(
        pattern=plain["pattern"],
        keywords=plain["keywords"],
        spelling=plain["spelling"],
        reductions=tuple(
            Reduction(symbol=symbol, size=size, action=action, picks=tuple(picks), only=only)
            for symbol, size, action, picks, only in plain["reductions"]
        ),
        states=tuple(plain["states"]),
        starts=plain["starts"],
        ends=plain["ends"],
    )


# A cache is never a reason to fail: whatever is wrong with it, its content is made anew.


def cache_folder(name: str) -> Path | None:
    """The user's folder for what is cached, writable by nobody else; None when there is none."""
    try:
        import platformdirs

        folder = platformdirs.user_cache_path("journeylang", appauthor=False) / name
        if not folder.is_absolute():
            return None  # nobody's home: not into the working directory
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder.lstat()) else None
    except (OSError, RuntimeError, KeyError, ImportError):
        return None


def _is_private(status: os.stat_result) -> bool:
    if not hasattr(os, "getuid"):
        return True  # there, a user's own folders are not for others to write
    return status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o022


def recall(file: Path) -> dict[str, Any] | None:
    """What was remembered in a file; None where it is not there, not whole, or somebody else's."""
    try:
        with file.open("rb") as stream:
            if not _is_private(os.fstat(stream.fileno())):
                return None
            digest, _, body = stream.read().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        plain = json.loads(body)
    except (OSError, ValueError):
        return None
    return plain if isinstance(plain, dict) else None


def remember(file: Path, plain: Mapping[str, Any]) -> None:
    """Keep plain data in a file, if that is possible."""
    import tempfile

    body = json.dumps(plain, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest().encode()
    name = ""
    try:
        # Written aside and renamed, so that two processes at once leave a whole file.
        handle, name = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(digest + b"\n" + body)
        Path(name).replace(file)
    except OSError:
        if name:
            Path(name).unlink(missing_ok=True)


_MOST_FILES = 64


def forget_oldest(folder: Path) -> None:
    """Forget what was remembered longest ago, of projects that were not asked about since."""
    try:
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-_MOST_FILES]:
            file.unlink(missing_ok=True)
    except OSError:
        # Another process was quicker.
        return
