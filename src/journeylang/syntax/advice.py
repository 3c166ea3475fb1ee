"""What to do about a syntax error, for what people really type instead of the language.

Each function knows one family of slips: other languages' habits, figures, quotes, brackets, the
order of words. The first that has something to say is asked no further; none of them decides
how the parser goes on.
"""

import re
from collections.abc import Callable
from unicodedata import normalize

from journeylang.syntax import figures
from journeylang.syntax.grammar import tables
from journeylang.syntax.spot import Spot

_WORD = re.compile(r"(\d+)([A-Za-z]+)")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))?([ap])m", re.IGNORECASE)
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNSEEN = {
    "\u00a0": "it looks like a blank and is none: type a blank in its place",
    "\u202f": "it looks like a blank and is none: type a blank in its place",
    "\u200b": "it cannot be seen: remove it",
    "\u200d": "it cannot be seen: remove it",
    "\u00ad": "it cannot be seen: remove it",
    "\ufeff": "it cannot be seen: remove it",
}
_DECLARED = frozenset({"JOURNEY", "SEGMENT", "METRIC", "POLICY", "EVENT", "CHANNEL", "PROMO"})
_MERGE = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")

_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "365d"}

# Words of other languages, where what they are for could stand, and how it is written here. Where
# a statement may end, whatever goes on with its expression could have stood too (END).
_ELSEWHERE = (
    ("elif elseif elsif elsewhen", "ELSE", "write `else if … { }`"),
    ("then", "LBRACE", "no `then`: a block is in braces, `{ … }`"),
    ("do", "LBRACE", "no `do`: a block is in braces, `{ … }`"),
    ("like ilike matches", "CONTAINS END", "texts are asked by `contains` or `starts with`"),
    ("equals equal eq", "COMPARE END", "equal is written `=`"),
    ("before", "COMPARE END", "an earlier moment is a smaller one: write `<`"),
    ("after", "COMPARE END", "a later moment is a greater one: write `>`"),
    ("ago", "COMPARE END", "an age is asked by `older than 120d` or `newer than 120d`"),
    ("as is be", "EQUALS", "write `=`"),
    ("where filter having", "ONLY", "write `only where …`"),
    ("filter if when", "WHERE", "write `where …`"),
    ("for within in after max", "UP", "how long is written `up to 5d`"),
    ("in", "WITHIN", "a window is written `within 72h`"),
    ("daily weekly monthly yearly", "EVERY", "write `every day at 09:00 …`"),
    ("and", "COMMA", "between names stands a comma"),
    ("from between", "TIME_OF_DAY", "the time stands alone: `20:00 to 09:00`"),
    ("to until till", "ARROW", "write `->`"),
    ("by on", "AT", "a moment stands behind `at`"),
    ("import include require load use", "JOURNEY", "nothing is imported: all files are one whole"),
)
_WORDS_ELSEWHERE = [(frozenset(w.split()), kinds.split(), text) for w, kinds, text in _ELSEWHERE]


def advice(spot: Spot) -> str:
    """What to do; empty when nothing is known about it."""
    for asked in _ASKED:
        found = asked(spot)
        if found:
            return found
    return ""


def marks(spot: Spot) -> str | None:
    """What is no language at all: conflicts of a merge, comments of other languages."""
    source, start = spot.source, spot.tokens.starts[spot.at]
    line = source.line(source.position(start)[0])
    if line.startswith(_MERGE):
        return "a merge has left its marks here: keep one of the sides"
    text = spot.text() or " "
    two = source.text[start : start + 2]
    if two in ("//", "/*", "*/") or source.text[start - 1 : start + 1] in ("//", "/*", "*/"):
        return "a comment begins with `#`"
    if two == "--" and line.strip().startswith("--"):
        return "a comment begins with `#`"
    if text[0] in _UNSEEN:
        return _UNSEEN[text[0]]
    plain = normalize("NFKC", text)
    if spot.kind() == "STRANGE" and plain != text and len(plain) == 1 and plain.isascii():
        return f"write `{plain}`"
    if two in ("{{", "{%"):
        return "files of journeys are no templates: write the value itself"
    return None


def _order(spot: Spot) -> str | None:
    """The right words in the wrong order."""
    text, kind, before = spot.text(), spot.kind(), spot.text(-1)
    if before == "send" and kind == "STRING" and spot.allows("NAME"):
        return f"the channel comes first: `send email {text}`"
    if kind == "STRING" and spot.allows("SALT"):
        return f"write `salt {text}`"
    if kind == "DURATION" and before == "for":
        return f"a wait for a time is written `wait {text}`"
    if before == "arm" and kind == "PERCENT":
        name = spot.text(1) if spot.kind(1) == "NAME" else "name"
        return f"the name comes first: `arm {name} {text}`"
    if before in ("cap", "capacity") and kind == "INTEGER":
        name = spot.text(1) if spot.kind(1) == "NAME" else "email"
        return f"the channel comes first: `{before} {name} {text} per …`"
    if kind == "STRING" and spot.allows("JOURNEY") and spot.at:
        return "a title stands behind the name, before `=` or `{`"
    return None


def _quotes(spot: Spot) -> str | None:
    text, kind = spot.text(), spot.kind()
    if kind == "STRING":
        word = text[1:-1]
        if spot.kind(1) == "COLON" and spot.allows("LABEL"):
            return f"what stands before a colon has no quotes: `{word}: …`"
        if not _WORD.fullmatch(word):
            return None
        if spot.allows("NAME") or tables().keywords.get(word) in spot.possible:
            return f"names have no quotes: `{word}`"
        return None
    if kind in ("NAME", "LABEL") and set(spot.possible) == {"STRING"}:
        line, column = spot.source.position(spot.tokens.starts[spot.at])
        word = spot.source.line(line)[column - 1 :].split()[0]
        return f'a text stands in double quotes: `"{word}"`'
    if text == "/" and spot.kind(-1) == "NAME" and spot.text(-3) == "send":
        return f'the name of a template is a text: `"{spot.text(-1)}/{spot.text(1)}"`'
    return None


def _names(spot: Spot) -> str | None:
    """Names with a dash in them, of two words, with a figure at their begin."""
    text, kind, before = spot.text(), spot.kind(), spot.text(-1)
    wants_name = spot.allows("NAME") and not spot.allows("INTEGER", "DURATION", "PERCENT")
    if kind == "STRANGE" and text[0].isdigit() and text.isalnum() and wants_name:
        return "a name begins with a letter"
    if text == "-" and spot.kind(-1) == "NAME" and spot.touches(0) and spot.touches(1):
        if spot.allows("AS", "DOT"):
            return f'a table of such a name stands in quotes: `"{before}-{spot.text(1)}"`'
        return f"names have no dash: `{before}_{spot.text(1)}`"
    if text.isidentifier() and spot.text(1) == "-" and spot.touches(1) and spot.touches(2):
        return f"names have no dash: `{text}_{spot.text(2)}`"
    if spot.allows("FROM") and spot.kind(-1) == "NAME" and spot.text(1) == ".":
        return f"a table stands behind `from`: `from {text}.{spot.text(2)}`"
    if kind != "NAME" or spot.keyword(0) is not None:
        return None
    if spot.allows("STRING") and spot.kind(-1) == "NAME" and spot.keyword(-2) in _DECLARED:
        return f"a name is one word: `{before}_{text}`; a title stands in quotes"
    if spot.allows("AS") and spot.allows("LBRACE", "DOT"):
        return f"a table's other name stands behind `as`: `as {text}`"
    return None


def _brackets(spot: Spot) -> str | None:
    """One kind of bracket where another one stands, or none at all."""
    text, kind = spot.text(), spot.kind()
    before_is_in = spot.text(-1) == "in"
    if kind in ("LBRACE", "LPAR") and spot.allows("WITH"):
        return "values stand behind `with`: `with { … }`"
    if kind == "LBRACE" and spot.allows("EQUALS"):
        return "what it means stands behind `=`, without braces"
    if spot.allows("LBRACE"):
        if kind in ("LPAR", "LSQB"):
            return "braces stand here: `{ … }`"
        if kind == "COLON":
            return "a block is in braces: `{ … }`"
        if kind == "LABEL" and spot.text(-1) == "else":
            return "a block is in braces: `{ … }`"
        if spot.text(-1) == "of" and kind == "NAME":
            return "the channels stand in braces: `{ push email }`"
    if kind == "LSQB" and spot.allows("WHERE"):
        return "write `where …`"
    if before_is_in and kind == "NAME" and not spot.allows("LPAR") and spot.allows("SEGMENT"):
        return f"write `in segment {text}`"
    if spot.allows("LPAR") and not spot.allows("INTEGER"):
        if before_is_in and text in ("last", "past", "previous", "the"):
            return "a window is written `within 90d`"
        if kind in ("LSQB", "LBRACE"):
            return "round brackets stand here: `( … )`"
        if before_is_in and kind == "NAME":
            return f"write `in segment {text}`, or `in (…)` for a list of values"
        if before_is_in:
            return "a list stands in round brackets: `in (…)`"
    if spot.allows("LSQB") and kind in ("STRING", "LPAR"):
        return 'a list stands in square brackets: `["a", "b"]`'
    return None


def _colons(spot: Spot) -> str | None:
    """A colon too many, or one too few."""
    text, kind = spot.text(), spot.kind()
    if kind == "LABEL":
        if tables().keywords.get(text) in spot.possible:
            return f"no colon behind it: `{text} …`"
        if spot.allows("NAME") and not spot.allows("LABEL"):
            return f"no colon behind it: `{text}`"
    if spot.text(-1) == ":" and spot.kind(-2) == "LABEL" and spot.allows("WAIT"):
        word = spot.text(-2)
        if spot.keyword(-2) and spot.text(0) != "}":
            return f"no colon behind it: `{word} …`"
    if text == "else" and spot.allows("TIMEOUT"):
        return "write `timeout { … }`"
    if kind == "NAME" and spot.allows("ON", "ARM") and spot.text(1) == "{":
        return f"write `{'on' if spot.allows('ON') else 'arm'} {text} {{ … }}`"
    if kind == "LABEL" and spot.allows("ARM"):
        return f"write `arm {text} …`"
    if kind == "NAME" and spot.kind(-1) == "NAME" and spot.allows("LABEL") and spot.allows("COMMA"):
        return "a text of several words stands in double quotes"
    if kind == "NAME" and spot.allows("LABEL") and not spot.allows("WAIT"):
        if spot.text(1) in (")", ",") and spot.allows("RPAR"):
            return f"a parameter has a type: `{text}: duration`"
        return f"a colon stands between name and value: `{text}: …`"
    if kind == "EQUALS" and spot.keyword(-1) is not None:
        return f"no `=` behind it: `{spot.text(-1)} …`"
    if kind == "COLON":
        return "no colon stands here: remove it"
    return None


def _conditions(spot: Spot) -> str | None:
    text, kind, before = spot.text(), spot.kind(), spot.text(-1)
    if before == "is" and spot.allows("KNOWN"):
        if text == "not":
            return "write `is unknown`" if spot.text(1) == "known" else "write `is known`"
        if text.lower() in ("null", "none", "nil", "empty"):
            return "write `is unknown`"
        if text == "in":
            return "leave out `is`: `customer in segment …`"
        return "equal is written `=`; `is` stands before `known` and `unknown`" if kind else None
    if before == "not" and kind == "EQUALS":
        return "unequal is written `!=`"
    if before == "not" and text == "segment":
        return "write `not in segment …`"
    if kind == "STAR" and spot.text(-2) in ("count", "sum"):
        return "it counts an event's rows: `count(order_placed)`"
    if kind == "COMMA" and spot.allows("AND") and not spot.allows("OR"):
        return "between the two ends stands `and`"
    if before == "," and text in ("within", "since", "where", "of"):
        return "no comma stands before it"
    if before == ")" and text in ("within", "since", "where", "of"):
        return f"it stands in the brackets: `count(order_placed {text} …)`"
    if before in ("when", "if", "unless") and spot.text(-3) == "send":
        return "what it depends on is an `if` around it: `if … { }`"
    if before == "to" and spot.text(-3) == "send":
        return "it goes to whoever is in the journey: leave this out"
    return None


def _places(spot: Spot) -> str | None:
    """Single places where something else is often written."""
    text, before = spot.text(), spot.text(-1)
    if text == "after" and spot.allows("GIVEN"):
        return "how much later it happens is written `+26h …`"
    if text in _PERIODS and spot.allows("PER"):
        return f"write `per {_PERIODS[text]}`"
    if text == "," and spot.kind(-1) != "NAME":
        return "no comma stands here: remove it"
    if text in ("a", "an", "each", "every") and spot.allows("PER"):
        return "write `per …`: `per 7d`, `per week`"
    if text == "-" and spot.allows("TO"):
        return "write `to`: `20:00 to 09:00`"
    if text == "." and before == "profile" and spot.allows("EQUALS"):
        return f"write `set {spot.text(1)} = …`: it is read as `profile.{spot.text(1)}`"
    if text == "." and spot.text(-2) == "invoke":
        return f'write `invoke {before} "{spot.text(1)}" with {{ … }}`'
    if text == "or" and spot.allows("PER") and spot.text(-3) == "enter":
        return "one event lets people in; a second one is another journey's"
    if text in ("=", ">", "to", "–", "—") and spot.allows("ARROW"):
        return "write `->`"
    if text == "!" and spot.allows("OPTIONAL"):
        return "leave it out: only what may be unknown is marked, with `?`"
    if re.fullmatch(r"[A-Z]{3}", text) and before == "money":
        return f"write `money({text})`"
    if spot.kind() == "NAME" and spot.allows("COMMA") and spot.text(-2) == "quiet":
        return None if text in ("and", "from", "between") else "between names stands a comma"
    return None


def _elsewhere(spot: Spot) -> str | None:
    for words, kinds, text in _WORDS_ELSEWHERE:
        could = spot.allows(*kinds) or ("END" in kinds and spot.may_end)
        if could and spot.text().lower() in words:
            return text
    return None


def _capitals(spot: Spot) -> str | None:
    word = spot.text().lower()
    kind = tables().keywords.get(word)
    if word != spot.text() and (kind in spot.possible or (kind in ("AND", "OR") and spot.may_end)):
        return f"words of the language are written small: `{word}`"
    return None


_ASKED: tuple[Callable[[Spot], str | None], ...] = (
    _capitals,
    figures.spans,
    figures.figures,
    figures.units,
    _order,
    _quotes,
    _names,
    _brackets,
    _conditions,
    _colons,
    _places,
    _elsewhere,
)
