"""Texts of the language, derived from the grammar itself: each of its rules is in some of them.

What the grammar takes may still mean nothing (a 31st of February, a header behind a step); the
tests that use this say what they do with such a text.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from lark import Lark
from lark.grammar import NonTerminal, Rule, Symbol

from journeylang import resources
from journeylang.syntax.grammar import tables

_TEXTS: dict[str, tuple[str, ...]] = {
    "NAME": ("a", "b1", "spend_year", "welcome", "customer", "entry", "a_name_that_is_quite_long"),
    "LABEL": ("hello", "x", "settle_down", "until"),
    "STRING": ('"a"', '""', '"a \\" # no comment"', '"welcome/hello"', f'"{"long " * 12}"'),
    "INTEGER": ("1", "3", "28"),
    "NUMBER": ("0.5", "12.25"),
    "PERCENT": ("10%", "0.5%", "20 %", "100%"),
    "MONEY": ("5 EUR", "0.0004 EUR", "7EUR", "12 \t USD"),
    "DURATION": ("2d", "48h", "3mo", "1w"),
    "DATE": ("2026-05-31",),
    "DATE_TIME": ("2026-05-31T09:00", "2026-05-31T09:00:30.5+01:00", "2026-05-31T09:00Z"),
    "TIME_OF_DAY": ("09:00", "9:30", "23:59:59"),
    "SQL": ("sql`upper(c.x)`", "sql`select a\n  from b -- # c`"),
    "COMPARE": ("<=", "!=", ">"),
}
_SIGNS = frozenset("{}()[],")

# Rules whose names have to be certain words.
_WORDS = {"names": ("monday", "thursday", "weekdays")}

_DEEPEST = 9


@cache
def _rules() -> dict[str, list[Rule]]:
    text = (resources.grammar() / "journey.lark").read_text(encoding="utf-8")
    found: dict[str, list[Rule]] = {}
    for rule in Lark(text, parser="lalr", start="file").rules:
        found.setdefault(rule.origin.name, []).append(rule)
    return found


@cache
def _depths() -> dict[str, int]:
    """How many rules within each other it takes at least to come to an end."""
    depths: dict[str, int] = {}
    while len(depths) < len(_rules()):
        for name, rules in _rules().items():
            for rule in rules:
                inner = [s.name for s in rule.expansion if isinstance(s, NonTerminal)]
                if all(i in depths for i in inner):
                    depth = 1 + max((depths[i] for i in inner), default=0)
                    depths[name] = min(depths.get(name, depth), depth)
    return depths


def _depth(rule: Rule) -> int:
    return max((_depths()[s.name] for s in rule.expansion if isinstance(s, NonTerminal)), default=0)


@st.composite
def sentences(draw: st.DrawFn, symbol: str = "file") -> list[str]:
    """The tokens of a text that the rule takes; a label and its colon are one of them."""
    made: list[str] = []
    spelling = tables().spelling
    waiting: list[tuple[Symbol, int, str]] = [(NonTerminal(symbol), 0, "")]
    while waiting:
        next_, depth, within = waiting.pop()
        if isinstance(next_, NonTerminal):
            rules = _rules()[next_.name]
            if depth > _DEEPEST or len(made) > 150:
                least = min(map(_depth, rules))
                rules = [rule for rule in rules if _depth(rule) == least]
            rule = rules[draw(st.integers(0, len(rules) - 1))] if len(rules) > 1 else rules[0]
            outer = within if next_.name.startswith("_") else next_.name
            deeper = depth + (not next_.name.startswith("_"))
            waiting.extend((part, deeper, outer) for part in reversed(rule.expansion))
        elif next_.name == "COLON" and made and made[-1].endswith(":"):
            continue
        elif next_.name == "LABEL":
            made.append(f"{draw(st.sampled_from(_TEXTS['LABEL']))}:")
        elif next_.name == "NAME" and within in _WORDS:
            made.append(draw(st.sampled_from(_WORDS[within])))
        elif made[-1:] == ["language"]:
            made.append("1")
        elif next_.name in _TEXTS:
            made.append(draw(st.sampled_from(_TEXTS[next_.name])))
        else:
            made.append(spelling[next_.name])
    return made


_GAPS = (" ", " ", " ", "\n", "\n  ", " \t\n\n\n ", "  ")


@st.composite
def texts(draw: st.DrawFn, symbol: str = "file", *, comments: bool = True) -> str:
    """A text with gaps of all kinds between its tokens, and comments anywhere among them."""
    tokens = draw(sentences(symbol))
    made = ""
    count = 0
    for token in [*tokens, ""]:
        gap = draw(st.sampled_from(_GAPS)) if made else ""
        if made and draw(st.integers(0, 5)) == 0 and (made[-1] in _SIGNS or token in _SIGNS):
            gap = ""
        if comments and draw(st.integers(0, 11)) == 0:
            for _ in range(draw(st.integers(1, 2))):
                count += 1
                gap += (
                    f"#{'!' * draw(st.integers(0, 1))} {count} é\t\n{draw(st.sampled_from(_GAPS))}"
                )
        made += gap + token
    return made
