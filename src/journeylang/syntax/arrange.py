"""Files, blocks and statements as documents: what has a line of its own, and what follows it."""

from collections.abc import Iterator

from journeylang.syntax.concrete import Part, Rule
from journeylang.syntax.grammar import tables
from journeylang.syntax.layout import STEP, Document, Group, Indent, Only
from journeylang.syntax.wording import Wording, first_token

_CONTINUED = 4
"""Blanks by which the further lines of a statement are set in: more than a block within it."""

# Words that begin a clause of a statement, which may go on there in a further line.
_CLAUSE_WORDS = """
    ABOUT AFTER AS AT BASIS BY COST ELSE EVERY EXPECT EXPIRES FOR FROM GOAL LATE ON OVER PER SALT
    SOURCE THEN UNTIL UP VIA WHEN WHERE WITH WITHIN WORTH
"""

# Rules that are no more than a part of the statement that holds them.
_SPLICED_RULES = """
    about block else_continue else_exit else_hold else_if else_skip expect fields first_if goal
    salt send_expires settings table then top_of with_values
"""

# What braces may hold several of on one line: with commas between them, and without.
_PAIRS = frozenset({"pair", "candidate", "factor", "parameter"})
_BINDING_RULES = """
    append_only at changed_at code customer_key expires field_binding first_only generate granted
    key locale only_where prefers proof_source prospect_consent redeemed_by timezone valid_until
"""

# Parts that show that a statement has others in its braces.
_BLOCKS = frozenset({"arm", "block", "first_if", "on_event", "then_block", "timeout_block"})


_CLAUSES = frozenset(_CLAUSE_WORDS.split())
_SPLICED = frozenset(_SPLICED_RULES.split())
_BINDING = frozenset(_BINDING_RULES.split())


class Arranger(Wording):
    """Makes the document of one file."""

    def file(self) -> Document:
        made: list[Document] = []
        for part in self.tree.file.parts:
            assert isinstance(part, Rule)
            made.append(self.line(first_token(part), hard=True, separate=True, first=not made))
            made.append(self.statement(part))
        end = len(self.tree.kinds) - 1
        return [*made, self.line(end, hard=True, separate=True, first=not made)]

    # ---- statements

    def statement(self, rule: Rule) -> Document:
        """A statement: its head and clauses, its braces, and what stands behind them."""
        if rule.kind in ("metric", "segment"):
            return self.definition(rule)
        parts = list(self.spliced(rule))
        if rule.kind == "if_step":
            return self.chain_of_blocks(parts)
        made: list[Document] = []
        at = 0
        while at < len(parts):
            made += [" "] if made else []
            brace = self.next_brace(parts, at)
            if brace > at:
                # Behind braces it goes on in their last line: they are the ones to give way.
                made.append(
                    Group(self.words(parts[at:brace])) if at else self.clauses(parts[:brace])
                )
                at = brace
            else:
                end = self.matching(parts, at)
                made.append(Group(self.braces(parts[at : end + 1])))
                at = end + 1
        return made

    def definition(self, rule: Rule) -> Document:
        """``metric name "title" = …``: what does not fit behind the sign begins a line."""
        *head, value = rule.parts
        assert isinstance(value, Rule)
        place = self.line(first_token(value))
        made = self.expression(value, 0)
        if isinstance(made, Group) and value.kind in ("any_of", "all_of") and len(value.parts) > 3:
            # A condition of three parts or more then has a line for each.
            made = made.parts
        return Group([*self.words(head), Indent(STEP, [place, made])])

    def chain_of_blocks(self, parts: list[Part]) -> Document:
        """``if … { } else if … { } else { }``: all of its blocks on one line, or none."""
        made: list[Document] = []
        at = 0
        while at < len(parts):
            brace = self.next_brace(parts, at)
            end = self.matching(parts, brace)
            made += [" "] if made else []
            made += [*self.words(parts[at:brace], _CONTINUED), " "]
            made += self.braces(parts[brace : end + 1])
            at = end + 1
        return Group(made)

    def clauses(self, parts: list[Part]) -> Document:
        """Words and expressions; each clause but the first may begin a line."""
        begins = [at for at in range(1, len(parts)) if self.begins_clause(parts, at)]
        if not begins:
            return Group(self.words(parts, _CONTINUED))
        made = self.words(parts[: begins[0]], _CONTINUED)
        for begin, end in zip(begins, [*begins[1:], len(parts)], strict=True):
            place = self.line(first_token(parts[begin]))
            made.append(Indent(_CONTINUED, [place, *self.words(parts[begin:end])]))
        return Group(made)

    def begins_clause(self, parts: list[Part], at: int) -> bool:
        part, before = parts[at], parts[at - 1]
        if not isinstance(part, int) or self.tree.kinds[part] not in _CLAUSES:
            return False
        # Of several words in a row the first one begins it.
        return isinstance(before, Rule) or not self.is_keyword(before)

    def is_keyword(self, at: int) -> bool:
        return self.tree.kinds[at] in tables().keywords.values()

    # ---- braces

    def next_brace(self, parts: list[Part], at: int) -> int:
        kinds = self.tree.kinds
        for index in range(at, len(parts)):
            part = parts[index]
            if isinstance(part, int) and kinds[part] == "LBRACE":
                return index
        return len(parts)

    def braces(self, parts: list[Part]) -> list[Document]:
        """A pair of braces and what is within, which has a line each or stands on one."""
        opening, closing = first_token(parts[0]), first_token(parts[-1])
        items = [part for part in parts if isinstance(part, Rule)]
        if not items:
            return ["{", self.line(closing, first=True, closing=True, empty=True), "}"]
        hard = not self.may_be_flat(opening, closing, items)
        commas = items[0].kind in _PAIRS
        inner: list[Document] = []
        for item in items:
            if inner and commas:
                inner.append("," if self.needs_comma(item) else Only(",", flat=True))
            place = self.line(first_token(item), hard=hard, separate=True, first=not inner)
            inner += [place, self.statement(item)]
        place = self.line(closing, hard=hard, separate=True, closing=True)
        return ["{", Indent(STEP, inner), place, "}"]

    def may_be_flat(self, opening: int, closing: int, items: list[Rule]) -> bool:
        """Whether they may stand on one line, if they fit: only where they stood on one."""
        starts, position = self.tokens.starts, self.source.position
        if position(starts[opening])[0] != position(starts[closing])[0]:
            return False
        if items[0].kind in _PAIRS or items[0].kind in _BINDING:
            return True
        if len(items) > 1:
            return False
        return not any(isinstance(p, Rule) and p.kind in _BLOCKS for p in items[0].parts)

    def needs_comma(self, item: Rule) -> bool:
        """A channel with the name of a word that could go on with the expression before it."""
        return item.kind == "candidate" and self.text(first_token(item)) in tables().keywords

    def spliced(self, rule: Rule) -> Iterator[Part]:
        """The parts of a statement, but for what stands in its braces all on one level."""
        is_inside = False
        for part in rule.parts:
            if isinstance(part, int):
                kind = self.tree.kinds[part]
                is_inside = kind == "LBRACE" or (is_inside and kind != "RBRACE")
                yield part
            elif part.kind in _SPLICED and not is_inside:
                yield from self.spliced(part)
            else:
                yield part
