"""Where a syntax error is, for those who find words for it."""

from collections.abc import Collection

from journeylang.classes import dataclass
from journeylang.source import Source
from journeylang.syntax.grammar import tables
from journeylang.syntax.scan import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The unexpected token, those around it, and the kinds that could stand there."""

    source: Source
    tokens: Tokens
    at: int
    possible: Collection[str]

    def kind(self, step: int = 0) -> str:
        at = self.at + step
        return self.tokens.kinds[at] if 0 <= at < len(self.tokens.kinds) else ""

    def text(self, step: int = 0) -> str:
        at = self.at + step
        if not 0 <= at < len(self.tokens.kinds):
            return ""
        return self.source.text[self.tokens.starts[at] : self.tokens.ends[at]]

    def touches(self, step: int) -> bool:
        """Whether there is no blank between that token and the one before it."""
        at = self.at + step
        return 0 < at < len(self.tokens.ends) and self.tokens.ends[at - 1] == self.tokens.starts[at]

    def allows(self, *kinds: str) -> bool:
        return any(kind in self.possible for kind in kinds)

    @property
    def may_end(self) -> bool:
        """Whether a statement can end before the token."""
        return self.allows("JOURNEY", "WAIT", "RBRACE")

    def keyword(self, step: int) -> str | None:
        return tables().keywords.get(self.text(step))
