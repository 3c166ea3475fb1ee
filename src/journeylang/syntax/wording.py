"""Words and expressions as documents: blanks between tokens, and where a long one may end a line.

Lines end at the operators of a chain (``and``, ``or``, ``+``), and within brackets. A comparison
does not end a line: its sides are asked instead.
"""

import re
from collections.abc import Iterable, Iterator

from journeylang.source import Source
from journeylang.syntax.concrete import BRACKETED, Concrete, Part, Rule
from journeylang.syntax.layout import STEP, Document, Group, Indent, Line, Only
from journeylang.syntax.scan import BRACKETS, Tokens

# Rules that are names and signs with no blank between them.
_TIGHT = frozenset({"ref", "path", "type", "offset"})
_CHAINS = frozenset({"any_of", "all_of", "binary"})
_IN_BRACKETS = frozenset({"items", "list_of", "parameters", BRACKETED})
_PRODUCT = frozenset({"STAR", "SLASH"})
_BLANKS = re.compile(r"[ \t]+")


class Wording:
    """Makes documents of one file's words; ``lines`` are its places by the token behind each."""

    def __init__(self, source: Source, tokens: Tokens, tree: Concrete) -> None:
        self.source = source
        self.tokens = tokens
        self.tree = tree
        self.lines: dict[int, Line] = {}

    def line(
        self,
        at: int,
        flat: str = " ",
        *,
        hard: bool = False,
        separate: bool = False,
        first: bool = False,
        closing: bool = False,
        empty: bool = False,
    ) -> Line:
        """A place where a line may end, before token ``at``; see ``layout.Line``."""
        assert at not in self.lines
        made = self.lines[at] = Line(
            at=at,
            flat=flat,
            hard=hard,
            separate=separate,
            first=first,
            closing=closing,
            empty=empty,
        )
        return made

    def text(self, at: int) -> str:
        """A token as it was written, but for figures that have a form of their own."""
        text = self.source.text[self.tokens.starts[at] : self.tokens.ends[at]]
        match self.tree.kinds[at]:
            case "PERCENT":
                return _BLANKS.sub("", text)
            case "MONEY":
                return f"{text[:-3].rstrip()} {text[-3:]}"
            case "TIME_OF_DAY":
                return text if text[2] == ":" else f"0{text}"
            case _:
                return text

    def words(self, parts: Iterable[Part], deeper: int = STEP) -> list[Document]:
        """Parts in a row, blanks between them; further lines of a chain are set in ``deeper``."""
        made: list[Document] = []
        kinds = self.tree.kinds
        given = list(parts)
        before = ""
        at = 0
        while at < len(given):
            part = given[at]
            piece: Document
            if isinstance(part, Rule):
                kind = part.kind
                piece = self.expression(part, deeper)
                glued = kind == "parameters"
            elif kinds[part] == "LPAR":
                kind = "call"
                end = self.matching(given, at)
                piece = self.bracketed(given[at : end + 1])
                glued = True
                at = end
            else:
                kind = kinds[part]
                piece = self.text(part)
                glued = kind in ("COMMA", "COLON", "DOT")
            if before and not glued and before not in ("DOT", "MINUS"):
                made.append(" ")
            made.append(piece)
            before = kind
            at += 1
        return made

    def matching(self, parts: list[Part], at: int) -> int:
        """Where the bracket is closed; between the two are rules that have their own."""
        closing = BRACKETS[self.tree.kinds[_token(parts[at])]]
        for index in range(at + 1, len(parts)):
            part = parts[index]
            if isinstance(part, int) and self.tree.kinds[part] == closing:
                return index
        raise AssertionError("a bracket without its partner")

    def expression(self, rule: Rule, deeper: int) -> Document:
        """An expression; the further lines of a chain are set in ``deeper``."""
        if rule.kind in _CHAINS:
            return self.chain(rule, deeper)
        if rule.kind in _TIGHT:
            return "".join(map(self.text, _tokens(rule)))
        if rule.kind in _IN_BRACKETS:
            return self.bracketed(rule.parts, is_list=rule.kind != BRACKETED)
        if rule.kind == "negated":
            sign, operand = rule.parts
            assert isinstance(operand, Rule)
            return [self.text(_token(sign)), self.expression(operand, deeper)]
        made = self.words(rule.parts, deeper)
        return made[0] if len(made) == 1 else made

    def chain(self, rule: Rule, deeper: int) -> Group:
        """``a and b and c``, ``a + b - c``: each operator may begin a line."""
        first, *others = self.operands(rule)
        assert isinstance(first, Rule)
        # A chain within the first operand begins where this one does, and goes on further in.
        made: list[Document] = [self.expression(first, deeper + STEP)]
        for operator, operand in zip(others[::2], others[1::2], strict=True):
            assert isinstance(operand, Rule)
            at = _token(operator)
            begun: list[Document] = [self.line(at), self.text(at), " "]
            made.append(Indent(deeper, [*begun, self.expression(operand, STEP)]))
        return Group(made)

    def operands(self, rule: Rule) -> list[Part]:
        """Operands and operators in turn; ``a + b - c`` is one chain, though two rules."""
        if rule.kind != "binary":
            return rule.parts
        is_product = self.is_product(rule)
        parts: list[Part] = []
        left: Part = rule
        while isinstance(left, Rule) and left.kind == "binary":
            if self.is_product(left) != is_product:
                break
            left, operator, right = left.parts
            parts += [right, operator]
        return [left, *reversed(parts)]

    def is_product(self, rule: Rule) -> bool:
        return self.tree.kinds[_token(rule.parts[1])] in _PRODUCT

    def bracketed(self, parts: list[Part], *, is_list: bool = True) -> Document:
        """A pair of round or square brackets, each of its parts on a line of its own if need be.

        A list of several then has a comma at its end too.
        """
        inner: list[Document] = []
        items = [part for part in parts if isinstance(part, Rule)]
        for item in items:
            match item.kind:
                case "condition" | "within" | "since":
                    inner.append(self.line(first_token(item)))
                    is_list = False
                case "scope":
                    inner.append(" ")
                    is_list = False
                case _ if inner:
                    inner += [",", self.line(first_token(item))]
                case _:
                    inner.append(self.line(first_token(item), ""))
            inner.append(self.expression(item, 0))
        opening, closing = _token(parts[0]), _token(parts[-1])
        if not items:
            return f"{self.text(opening)}{self.text(closing)}"
        if is_list and len(items) > 1:
            inner.append(Only(",", flat=False))
        place = self.line(closing, "", closing=True)
        return Group([self.text(opening), Indent(STEP, inner), place, self.text(closing)])


def _tokens(rule: Rule) -> Iterator[int]:
    for part in rule.parts:
        if isinstance(part, int):
            yield part
        else:
            yield from _tokens(part)


def _token(part: Part) -> int:
    """A part that the grammar says is a token."""
    assert isinstance(part, int)
    return part


def first_token(part: Part) -> int:
    """The token with which a rule begins."""
    while isinstance(part, Rule):
        part = part.parts[0]
    return part
