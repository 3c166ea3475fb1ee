"""JRN109: a text message that goes out in many parts, a push that no device shows whole."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.front_matter import take_apart
from journeylang.diagnostics.codes.names import MESSAGE_TOO_LONG
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.least_text import LeastText, least_text
from journeylang.lint.rule import Checked, Rule
from journeylang.model.binding import Channel
from journeylang.model.text_message import not_gsm, parts
from journeylang.source import Source, Span

MOST_PARTS = 2
"""Beyond it a text message is told; a second part only where one letter is what needs it."""

MOST_OF_A_PUSH = 240
"""Characters of a notification's text that current phones show when it is opened out."""


def message_too_long(checked: Checked) -> Iterator[Diagnostic]:
    """By the least text that each template makes, so that what is told is true of every message."""
    for key, files in checked.templates.items():
        channel = key[1]
        if channel not in ("sms", "push") or not files:
            continue
        source = files[0].source
        taken = take_apart(source).value
        least = None if taken is None else least_text(taken.body.text, checked.parts)
        if taken is None or least is None:
            continue
        place = _first_line(source, taken.body.start)
        if channel == "sms":
            yield from _sms(least, place, checked.project.binding.channels.get("sms"))
        elif len(least.text) > MOST_OF_A_PUSH:
            yield Diagnostic(
                code=MESSAGE_TOO_LONG,
                message=f"a push of at least {len(least.text)} characters",
                span=place,
                help=f"phones cut it off after {MOST_OF_A_PUSH} at the latest: say the rest behind"
                " a link",
            )


def _sms(least: LeastText, place: Span, channel: Channel | None) -> Iterator[Diagnostic]:
    strange = not_gsm(least.certain)
    several = parts(least.text, ucs2=strange is not None)
    without = parts(least.text, ucs2=False)
    if several <= MOST_PARTS and (several == without or strange is None):
        return
    cost = ""
    if channel is not None and channel.cost:
        cost = f", {channel.cost * several:f} {channel.currency} each"
    if strange is not None and without < several:
        advice = (
            f"because of `{strange}` a part has 67 characters; without letters that are not of the"
            f" GSM alphabet {'one part is' if without == 1 else f'{without} parts are'} enough"
        )
    else:
        advice = f"{'67' if strange else '153'} characters go into a part: say it in fewer"
    yield Diagnostic(
        code=MESSAGE_TOO_LONG,
        message=f"a text message of at least {several} parts{cost}",
        span=place,
        help=advice,
    )


def _first_line(source: Source, start: int) -> Span:
    """Of the body, comments left out: one may stand there to say that it is fine."""
    line = source.position(start)[0]
    for number in range(line, source.line_count + 1):
        written = source.line(number)
        if written.strip() and not written.lstrip().startswith("{#"):
            begin = max(source.offset(number, 1), start)
            return source.span(begin, source.offset(number, len(written) + 1))
    return source.span(start, start)


RULE = Rule(code=MESSAGE_TOO_LONG, find=message_too_long)
