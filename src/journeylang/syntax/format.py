"""The formatter: one layout for every file, and no options.

The concrete tree becomes a document (``layout``), in which each place where a line may end
knows the token behind it. Comments are then given to these places: one that stands anywhere
else goes to the next of them, so that none is lost and their order stays. What the layout
is, and why, is in docs/language/layout.md.
"""

from bisect import bisect_left
from dataclasses import replace

from journeylang.diagnostics import Outcome
from journeylang.diagnostics.codes.syntax import CODES
from journeylang.source import Source
from journeylang.syntax.arrange import Arranger
from journeylang.syntax.concrete import concrete
from journeylang.syntax.layout import Line, printed
from journeylang.syntax.parse import LARGEST, parse, too_large
from journeylang.syntax.scan import scan
from journeylang.syntax.trivia import Trivia, trivia


def format_source(source: Source) -> Outcome[str]:
    """The text of a source in the one layout; None, and why, where it does not parse.

    Lines end as the first one of the source does. What is wrong with a value (``27:00``) is for
    the check to say, and has a layout all the same.
    """
    outcome = parse(source)
    if any(problem.code in CODES for problem in outcome.diagnostics):
        return Outcome(value=None, diagnostics=outcome.diagnostics)
    text = _formatted(source)
    if len(text) > LARGEST:
        return Outcome(value=None, diagnostics=(too_large(source, len(text)),))
    again = parse(Source(path=source.path, text=text))
    assert again.value == outcome.value, "formatting changed what the file says"
    return Outcome(value=text)


def _formatted(source: Source) -> str:
    tokens = scan(source)
    arranger = Arranger(source, tokens, concrete(source, tokens))
    document = arranger.file()
    _place(trivia(source, tokens), arranger.lines)
    text = printed(document)
    first = source.text.find("\n")
    if first > 0 and source.text[first - 1] == "\r":
        # Those within SQL stay as they are.
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text


def _place(found: Trivia, lines: dict[int, Line]) -> None:
    """Give comments and empty lines to the places where lines may end."""
    places = sorted(lines)
    for index in found.after_blank:
        if index in lines and index != places[-1]:
            lines[index].after_blank = True
    for index, comments in found.comments.items():
        line = lines[places[bisect_left(places, index)]]
        for comment in comments:
            if line.at == index:
                line.comments.append(comment)
            else:
                # It was within what has no line ends.
                is_first = not line.comments
                line.comments.append(replace(comment, trailing=is_first, after_blank=False))
