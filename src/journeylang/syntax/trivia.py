"""What stands between tokens: comments and empty lines.

The scanner skips them and loses nothing, for they are the text between the end of a token and
the start of the next. Each belongs to the token that comes after it; one behind the last token
belongs to the end of the file.
"""

from journeylang.classes import dataclass
from journeylang.source import Source
from journeylang.syntax.scan import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """From ``#`` to the end of its line, without the blanks there.

    ``trailing`` is one on the line of the token before it. One that ``continues`` stands on the
    next line, right below another one that is trailing or continues.
    """

    text: str
    trailing: bool
    continues: bool
    after_blank: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trivia:
    """Comments before tokens, and the tokens before which a line is empty, by their index."""

    comments: dict[int, list[Comment]]
    after_blank: set[int]


def trivia(source: Source, tokens: Tokens) -> Trivia:
    """All that lies between the tokens of a source."""
    comments: dict[int, list[Comment]] = {}
    after_blank: set[int] = set()
    text = source.text
    end = 0
    for index, (start, next_end) in enumerate(zip(tokens.starts, tokens.ends, strict=True)):
        # Most gaps are one blank or none.
        if start - end > 1:
            gap = text[end:start]
            if "#" in gap:
                comments[index], blank = _comments(source, end, gap)
            else:
                blank = gap.count("\n") > 1
            if blank:
                after_blank.add(index)
        end = next_end
    return Trivia(comments=comments, after_blank=after_blank)


def _comments(source: Source, offset: int, gap: str) -> tuple[list[Comment], bool]:
    """The comments of a gap that begins at the offset; and whether a line behind them is empty."""
    lines = gap.split("\n")
    found: list[Comment] = []
    column = -1
    blank = False
    for number, line in enumerate(lines):
        content = line.strip()
        if not content:
            # The first line is the rest of a token's, the last one the begin of another's.
            blank = blank or 0 < number < len(lines) - 1
            column = -1
            continue
        trailing = number == 0 and offset > 0
        at = source.position(offset)[1] if number == 0 else 1
        at += len(line) - len(line.lstrip())
        found.append(
            Comment(
                text=content,
                trailing=trailing,
                continues=at == column,
                after_blank=blank,
            )
        )
        column = at if trailing or at == column else -1
        blank = False
        offset += len(line) + 1
    return found, blank
