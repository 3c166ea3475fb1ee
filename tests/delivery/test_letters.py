"""QR codes in letters: what is printed is what a camera would read."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping

import pytest
import segno

from journeylang.delivery.codes import runs, shown_in
from journeylang.delivery.letters import Code, Letters
from journeylang.delivery.links import Links
from journeylang.delivery.render import For, Rendered, Renderer

PLACE = "Jo Doe\nHauptstr. 1\n10115 Berlin"
URL = "https://acme.example/k?a=1&b='2'"
LINKS = Links(key=b"0" * 32, base_url="https://news.acme.example")
TEXT = f"Dear Jo,\n\n{URL}\n\nor here: {URL} now"


def rendered(template: str, beside: Mapping[str, str] | None = None) -> Rendered:
    made = Renderer({"l.post.html": template, **(beside or {})}).render(
        "l", "post", For(message="m", scope={"url": URL}), LINKS
    )
    assert isinstance(made, Rendered), made
    return made


def drawn(pdf: bytes) -> list[tuple[float, float, float, float]]:
    """The rectangles of all pages: x, y, width, height."""
    found: list[tuple[float, float, float, float]] = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        for numbers in re.findall(rb"((?:[-.\d]+ ){4})re", content):
            x, y, width, height = map(float, numbers.split())
            found.append((x, y, width, height))
    return found


def test_the_page_says_which_codes_a_letter_has() -> None:
    made = rendered(
        "<p>Dear Jo,</p><p>{{ qr(url) }}</p><p><img src='data:image/png;base64,AA' alt='no'></p>"
    )
    assert made.html is not None
    assert shown_in(made.html) == [URL]
    letters = Letters(font=None, sender=None)
    letter = letters.page(PLACE, made.text, made.html)
    assert letter.paragraphs[:2] == ("Dear Jo,", Code(text=URL))
    # Nothing is drawn for a letter of text.
    assert letters.page(PLACE, TEXT).paragraphs == ("Dear Jo,", URL, f"or here: {URL} now")


def test_a_code_stands_below_what_is_said_with_it() -> None:
    made = rendered("<p>Scan it: {{ qr(url) }}</p><p>Yours</p>")
    letter = Letters(font=None, sender=None).page(PLACE, made.text, made.html)
    assert letter.paragraphs == (f"Scan it: {URL}", Code(text=URL), "Yours")


def test_a_code_of_which_the_text_says_nothing_stands_below_it() -> None:
    made = rendered("<p>Dear Jo {{ qr(url) }}</p>", {"l.post.txt": "Dear Jo"})
    letter = Letters(font=None, sender=None).page(PLACE, made.text, made.html)
    assert letter.paragraphs == ("Dear Jo", Code(text=URL))


@pytest.mark.parametrize("before", [0, 60])
def test_its_modules_are_those_of_the_text(before: int) -> None:
    """Also behind the end of a page."""
    body = "<p>x</p>" * before + "<p>{{ qr(url) }}</p>"
    made = rendered(body)
    letters = Letters(font=None, sender=None)
    boxes = drawn(letters.document([letters.page(PLACE, made.text, made.html)]))
    matrix = segno.make_qr(URL, error="m").matrix
    module = boxes[0][3]
    left, top = min(x for x, *_ in boxes), max(y for _, y, *_ in boxes)
    dark = {
        (round((top - y) / module), round((x - left) / module) + n)
        for x, y, width, _ in boxes
        for n in range(round(width / module))
    }
    assert dark == {(r, c) for r, row in enumerate(matrix) for c, bit in enumerate(row) if bit}
    assert min(y for _, y, *_ in boxes) > 56
    assert runs(URL)[0] * module == pytest.approx(35 * 72 / 25.4, abs=0.5)
