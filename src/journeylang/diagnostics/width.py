"""How wide a text is on a terminal, and what of it may be shown there."""

from unicodedata import category, east_asian_width

TAB = 4
"""Columns between two tab stops in an excerpt."""


def cells(character: str) -> int:
    """Columns of one printable character: 2 for East Asian wide ones, 0 for combining marks."""
    if character < "\u0300":  # nearly always
        return 1
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def width(text: str) -> int:
    return sum(map(cells, text))


def printable(character: str) -> str:
    """A character that cannot act upon the terminal.

    A source comes from strangers: an escape character in it would write the terminal's
    title, a bidirectional override would show one thing and mean another.
    """
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    # 200D joins the parts of one emoji; the other format characters are not needed to read.
    if 0x80 <= point < 0xA0 or (
        category(character) in ("Cf", "Cs", "Zl", "Zp") and point != 0x200D
    ):
        return "\ufffd"
    return character


def safe(text: str) -> str:
    """``text`` for a terminal, line by line; see :func:`printable`."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join("".join(map(printable, line)) for line in text.split("\n"))


def lay_out(line: str) -> tuple[list[str], list[int]]:
    """The characters of a line as shown, and the column (from 0) at which each begins.

    Tabs become blanks up to the next stop. The list of columns has one more entry: where
    the line ends.
    """
    shown: list[str] = []
    columns: list[int] = []
    column = 0
    for character in line:
        columns.append(column)
        text = " " * (TAB - column % TAB) if character == "\t" else printable(character)
        shown.append(text)
        column += width(text)
    columns.append(column)
    return shown, columns
