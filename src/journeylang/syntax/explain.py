"""What a syntax error says: what is there, what could be, and what was probably meant."""

from collections.abc import Container, Iterable, Sequence

from journeylang.diagnostics import Diagnostic, Label
from journeylang.diagnostics.codes import syntax as codes
from journeylang.diagnostics.suggest import closest
from journeylang.source import Source
from journeylang.syntax.advice import advice, marks
from journeylang.syntax.automaton import acceptable
from journeylang.syntax.grammar import tables
from journeylang.syntax.scan import BRACKETS, CLOSING, END, Tokens
from journeylang.syntax.spot import Spot

_EXPRESSION = """
    NAME STRING INTEGER NUMBER PERCENT MONEY DURATION DATE DATE_TIME TIME_OF_DAY TRUE FALSE SQL
    TOP TILE LPAR MINUS NOT IN JOINS BEST
"""
_STEP = "LABEL WAIT SEND EXPERIMENT IF REPEAT SET INVOKE START INCLUDE EXIT"
_HEADER = """
    OWNER PURPOSE PRIORITY ENTER REENTER ONLY HOLDOUT GOAL KPI GUARD RUNS BUDGET POLICY UPGRADE
"""
_DECLARATION = """
    CUSTOMERS EVENT CONSENT TOPIC CHANNEL PROMO CATALOG VALUE PROSPECTS METRIC SEGMENT POLICY
    JOURNEY FRAGMENT MOVED TEST ASSUME LANGUAGE
"""
_RULE = "CAP QUIET CAPACITY CONTROL SERVICE BUDGET"
_CLAUSE = "GIVEN ASSIGN EXPECT DATE_TIME PLUS"
_OPERATOR = """
    PLUS MINUS STAR SLASH EQUALS COMPARE AND OR NOT IN IS BETWEEN CONTAINS STARTS OLDER NEWER DOT
    LPAR
"""
# What stands for many kinds, the kinds that are it, and some that must all be possible.
_GROUPS = (
    ("an expression", _EXPRESSION, "NAME STRING NUMBER LPAR"),
    ("a step", _STEP, "WAIT SEND INVOKE"),
    ("a header", _HEADER, "OWNER ENTER"),
    ("a declaration", _DECLARATION, "SEGMENT JOURNEY"),
    ("a rule such as `cap` or `quiet`", _RULE, "CAP QUIET"),
    ("a clause such as `given` or `expect`", _CLAUSE, "GIVEN EXPECT"),
    ("an operator", _OPERATOR, "PLUS STAR"),
)

_KINDS = {
    "NAME": "a name",
    "LABEL": "a label with a colon behind it",
    "STRING": "a text in quotes",
    "INTEGER": "a whole number",
    "NUMBER": "a number",
    "PERCENT": "a share such as `10%`",
    "MONEY": "an amount such as `5 EUR`",
    "DURATION": "a span of time such as `2d`",
    "DATE": "a date such as `2026-05-31`",
    "DATE_TIME": "a moment such as `2026-05-31T09:00`",
    "TIME_OF_DAY": "a time such as `09:00`",
    "SQL": "sql`…`",
    "COMPARE": "a comparison such as `>=`",
    END: "the end of the file",
}

_HINTS = {
    **dict.fromkeys("'“”„«»‘’‚", 'texts stand in straight double quotes: `"…"`'),
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=` for unequal",
    ";": "remove it: nothing stands between two statements",
    "`": "SQL begins with `sql` before its first backtick",
    "$": "amounts are written with their currency behind them: `5 USD`",
    "€": "amounts are written with their currency behind them: `5 EUR`",
    "£": "amounts are written with their currency behind them: `5 GBP`",
    "≥": "write `>=`",
    "≤": "write `<=`",
    "≠": "write `!=`",
    "–": "the minus sign is `-`",
    "−": "the minus sign is `-`",
    "×": "write `*`",
    "÷": "write `/`",
    "…": "what is left out here has to be written",
    "—": "the minus sign is `-`",
    "→": "write `->`",
    "@": 'an address is a text: `"owner@example.com"`',
}

_PAIRS = {
    "==": "equal is written `=`",
    "<>": "unequal is written `!=`",
    "=<": "write `<=`",
    "=>": "write `>=`",
}

DECLARATIONS = frozenset(_DECLARATION.split()) - {"LANGUAGE"}
STEPS = frozenset(_STEP.split()) - {"LABEL"}
LEADING = STEPS | frozenset(f"{_HEADER} {_DECLARATION} {_RULE}".split())
"""Words that begin statements."""

MISSPELT = "MISSPELT"
"""The kind of a name that is probably a keyword with a slip; no state has a place for it."""

_MANY = 8


def unexpected(source: Source, tokens: Tokens, at: int, states: Sequence[int]) -> Diagnostic:
    """The diagnostic for a token that has no place where it stands."""
    start, end = tokens.starts[at], tokens.ends[at]
    kind, text = tokens.kinds[at], source.text[start:end]
    possible = acceptable(list(states))
    if kind == END or begins_declaration(source, tokens, at):
        place = _never_closed(source, tokens, at)
        if place is not None:
            return _unclosed(source, tokens, at, place)
    if kind == "RBRACE" and "RBRACE" not in possible and END in possible:
        return Diagnostic(
            code=codes.SYNTAX_ERROR,
            message="a `}` that closes nothing",
            span=source.span(start, end),
            help="remove it, or open its block with `{`",
        )
    if at and not is_complete(possible) and (kind == END or first_on_line(source, tokens, at)):
        # Something is missing at the end of the line before; what comes next is not wrong.
        start, end = tokens.starts[at - 1], tokens.ends[at - 1]
        return Diagnostic(
            code=codes.SYNTAX_ERROR,
            message=f"expected {expected(possible)} behind {_found('', source.text[start:end])}",
            span=source.span(start, end),
            label="the line ends here",
        )
    return Diagnostic(
        code=codes.SYNTAX_ERROR,
        message=f"expected {expected(possible)}, found {_found(kind, text)}",
        span=source.span(start, end),
        help=_help(source, tokens, at, possible),
    )


def is_complete(possible: Container[str]) -> bool:
    """Whether what comes next may be another statement."""
    return "RBRACE" in possible or "JOURNEY" in possible or END in possible


def expected(possible: Iterable[str]) -> str:
    """The kinds in the words of the language: ``a step, a header or `}` ``."""
    left = dict.fromkeys(possible)
    words: list[str] = []
    for what, members, needed in _GROUPS:
        if all(kind in left for kind in needed.split()):
            words.append(what)
            for kind in members.split():
                left.pop(kind, None)
    if words == ["an operator"] and left:
        # Of course an expression could go on; what else could follow tells more.
        words.clear()
    if words:
        left.pop("DOT", None)
    spelling = tables().spelling
    words += sorted(_KINDS[kind] for kind in left if kind in _KINDS)
    rest = [spelling[kind] for kind in left if kind not in _KINDS]
    words += [f"`{word}`" for word in sorted(rest, key=lambda word: (not word.isalpha(), word))]
    if len(words) > _MANY:
        words = [*words[: _MANY - 1], "something else"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _found(kind: str, text: str) -> str:
    if kind == END:
        return "the end of the file"
    if kind == "STRING":
        return "a text"
    if kind == "SQL":
        return "SQL"
    if not text.isprintable():
        return f"the character U+{ord(text[0]):04X}"
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"


def _help(source: Source, tokens: Tokens, at: int, possible: Sequence[str]) -> str:
    text = source.text[tokens.starts[at] : tokens.ends[at]]
    kind = tokens.kinds[at]
    after = tokens.kinds[at + 1] if at + 1 < len(tokens.kinds) else END
    if text == "language" and at:
        return "the edition stands in front of everything else: move it to the first line"
    pair = source.text[tokens.starts[at - 1] : tokens.ends[at]] if at else ""
    spot = Spot(source=source, tokens=tokens, at=at, possible=possible)
    strange = marks(spot)
    if strange:
        return strange
    if pair in _PAIRS and "ARROW" not in possible:
        return _PAIRS[pair]
    if kind == "NAME" and "LABEL" in possible:
        following = source.text[tokens.starts[at + 1] : tokens.ends[at + 1]]
        if tables().keywords.get(following) in STEPS:
            return f"a label has a colon behind it: `{text}: {following} …`"
    known = advice(spot)
    if known:
        return known
    if kind == "STRANGE":
        if text[0].isdigit():
            return "a number is written `10`, a span of time `10d`, a time of day `09:00`"
        if text.isalpha():
            return 'names have the letters a to z; others stand in quotes: `o."größe"`'
        return _HINTS.get(text[0], "")
    if kind in ("NAME", "LABEL", MISSPELT):
        word = meant(text, possible)
        if word:
            return f"did you mean `{word}`?"
    if kind == "NAME" and "LABEL" in possible and after == "EQUALS":
        return f"between key and value stands a colon: `{text}: …`"
    if text in tables().keywords and "NAME" in possible:
        return f"`{text}` is a word of the language here; choose another name"
    return ""


def meant(text: str, possible: Iterable[str]) -> str | None:
    """The keyword, of those possible, that the word is probably a slip of."""
    if len(text) < 3:
        return None  # every short word is a slip away from some other
    spelling = tables().spelling
    words = [spelling[kind] for kind in possible if kind in spelling]
    return closest(text, [word for word in words if word.isalpha()])


def first_on_line(source: Source, tokens: Tokens, at: int) -> bool:
    return at == 0 or "\n" in source.text[tokens.ends[at - 1] : tokens.starts[at]]


def begins_declaration(source: Source, tokens: Tokens, at: int) -> bool:
    start = tokens.starts[at]
    word = source.text[start : tokens.ends[at]]
    at_margin = start == 0 or source.text[start - 1] == "\n"
    return at_margin and tables().keywords.get(word) in DECLARATIONS


def _unclosed(source: Source, tokens: Tokens, at: int, place: int) -> Diagnostic:
    opening = source.text[place]
    closing = {"{": "}", "(": ")", "[": "]"}[opening]
    start, end = tokens.starts[at], tokens.ends[at]
    if tokens.kinds[at] == END:
        labels: tuple[Label, ...] = ()
    else:
        what = source.text[start:end]
        labels = (Label(source.span(start, end), f"this `{what}` would be within it"),)
    return Diagnostic(
        code=codes.UNCLOSED_BLOCK,
        message=f"a `{opening}` that is never closed",
        span=source.span(place, place + 1),
        label="opened here",
        help=f"put a `{closing}` where it ends",
        labels=labels,
    )


def _never_closed(source: Source, tokens: Tokens, at: int) -> int | None:
    """The offset of the bracket that somebody forgot to close before token ``at``.

    By the brackets alone it is the innermost one that is open there. But where lines are set
    in, a closing brace further to the left than the line on which the innermost open one stands
    belongs to another, and that innermost one is it.
    """
    opened: list[tuple[str, int]] = []
    suspect = None
    for index, (kind, start) in enumerate(zip(tokens.kinds[:at], tokens.starts, strict=False)):
        if kind in BRACKETS:
            opened.append((kind, start))
        elif kind in CLOSING and opened:
            opening, place = opened[-1]
            is_first, margin = _margin(source, start)
            if kind == "RBRACE" and is_first and _margin(source, place)[1] > margin:
                suspect = suspect or place
            if BRACKETS[opening] == kind:
                opened.pop()
        elif begins_declaration(source, tokens, index):
            # What was open before has had its own error.
            opened.clear()
            suspect = None
    place = suspect or opened[-1][1] if opened else -1
    # A bracket that a repair put in is nowhere in the text.
    return place if source.text[place : place + 1] in ("{", "(", "[") else None


def _margin(source: Source, offset: int) -> tuple[bool, int]:
    """Whether a token is the first on its line, and how far the line is set in."""
    line = source.text[source.text.rfind("\n", 0, offset) + 1 : offset]
    return not line.strip(), len(line) - len(line.lstrip())
