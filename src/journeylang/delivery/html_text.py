"""The text part of an e-mail, made from its HTML.

Done once per template, not once per message: the template's own tags are kept as they are
and only the HTML around them becomes text, so that rendering the text costs no parsing.
A break between blocks is written when the next text comes, and template statements go
before it; thus `<p>a</p>{% if x %}<p>b</p>{% endif %}` leaves no blank line without x.

Templates that make HTML out of values or other templates (`include`, `extends`, macros,
`set` blocks, `safe`) cannot be converted beforehand; their rendered HTML is.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BLOCKS = _tags(
    "address article aside blockquote body center div dl dd dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header main nav ol p pre section table tbody tfoot thead ul"
)
_SPACED = _tags("p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table")
_SILENT = _tags("style script title template noscript svg object")
# Their end tags may be left out: the next of the same kind ends them.
_IMPLIED = _tags("p li td th tr dt dd option")
_VOID = _tags("area base br col embed hr img input link meta source track wbr")

_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NOT_BEFOREHAND = re.compile(
    r"\{%[-+]?\s*(?:include|extends|import|from|macro|call|set|block|filter|raw|autoescape)\b"
    r"|\|\s*(?:safe|tojson|striptags|urlize|xmlattr)\b"
)
# Of the private use area, so that no template holds one by itself.
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_BLANK_LINES = re.compile(r"[ \t]+(?=\n)|(?<=\n\n)\n+")
_LOOP = re.compile(r"\{%[-+]?\s*for\b")
_SPACES = re.compile(r"[ \t\r\n\f]+")


class _Converter(HTMLParser):
    """Collects text; `held` are the template's tags by number."""

    def __init__(self, held: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.held = held
        self.out: list[str] = []
        self.breaks = 0
        self.space = False
        self.preformatted = 0
        self.lists: list[int | None] = []
        self.links: list[tuple[str, int]] = []
        self.hidden: list[str] = []
        self.cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self.hidden.clear()
        elif self.hidden and self.hidden[-1] == tag and tag in _IMPLIED:
            self.hidden.pop()
        values = dict(attrs)
        style = (values.get("style") or "").replace(" ", "").lower()
        hides = tag in _SILENT or "display:none" in style or "hidden" in values
        if self.hidden or hides:
            # What is hidden is remembered with all that it holds, so that its end is found.
            if tag not in _VOID:
                self.hidden.append(tag)
            return
        match tag:
            case "br":
                self.breaks = min(self.breaks + 1, 2)
            case "hr":
                self._break(2)
                self._write("---")
                self._break(2)
            case "img":
                if values.get("alt"):
                    self.handle_data(values["alt"] or "")
            case "a":
                self.links.append((values.get("href") or "", len(self.out)))
            case "li":
                self._break(1)
                number = self.lists[-1] if self.lists else None
                self._write("- " if number is None else f"{number}. ")
                self.space = False
                if number is not None:
                    self.lists[-1] = number + 1
            case "tr":
                self._break(1)
                self.cell = False
            case "td" | "th":
                if self.cell:
                    self.space = True
                self.cell = True
            case _ if tag in _BLOCKS:
                self._break(2 if tag in _SPACED and not self.lists else 1)
                if tag in {"ul", "ol"}:
                    self.lists.append(1 if tag == "ol" else None)
                elif tag == "pre":
                    self.preformatted += 1
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if self.hidden:
            while tag in self.hidden and self.hidden.pop() != tag:
                pass
            return
        match tag:
            case "a" if self.links:
                href, start = self.links.pop()
                self._target(href, start)
            case "li" | "tr":
                self._break(1)
            case "ul" | "ol" if self.lists:
                self.lists.pop()
                self._break(1 if self.lists else 2)
            case "pre" if self.preformatted:
                self.preformatted -= 1
                self._break(2)
            case _ if tag in _BLOCKS:
                self._break(2 if tag in _SPACED and not self.lists else 1)
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        at = 0
        for found in _HELD.finditer(data):
            self._text(data[at : found.start()])
            self._template_tag(self.held[int(found[1])])
            at = found.end()
        self._text(data[at:])

    def _text(self, data: str) -> None:
        if not data:
            return
        if self.preformatted:
            self._write(data)
            return
        plain = _SPACES.sub(" ", data)
        if plain.startswith(" "):
            self.space = True
        body = plain.strip(" ")
        if body:
            self._write(body)
            self.space = plain.endswith(" ")

    def _template_tag(self, tag: str) -> None:
        if tag.startswith("{{"):
            self._write(tag)
        elif tag.startswith("{%"):
            if self.breaks == 2 and _LOOP.match(tag):
                # One blank line before a loop, not one before each turn.
                self.out.append("\n")
                self.breaks = 1
            self.out.append(tag)

    def _target(self, href: str, start: int) -> None:
        """Behind a link's text comes its target, unless the text is the target."""
        label = "".join(self.out[start:]).strip()
        target = _HELD.sub(lambda m: self.held[int(m[1])], href).strip()
        if not target or target.startswith("#") or target == label:
            return
        shown = target.removeprefix("mailto:").removeprefix("tel:")
        if shown == label:
            return
        self.space = bool(label)
        self._write(f"({shown})" if label else shown)

    def _break(self, lines: int) -> None:
        self.breaks = max(self.breaks, lines)

    def _write(self, text: str) -> None:
        if self.breaks:
            if self.out:
                self.out.append("\n" * self.breaks)
        elif self.space and self.out:
            self.out.append(" ")
        self.breaks, self.space = 0, False
        self.out.append(text)


def html_to_text(html: str) -> str:
    """The readable text of finished HTML."""
    return tidy(_convert(html, []))


def text_template(html: str) -> str | None:
    """The text template of an HTML template, or None if it cannot be made beforehand.

    It must be rendered without escaping, and what comes out be given to `tidy`.
    """
    if _NOT_BEFOREHAND.search(html) or _OPEN in html:
        return None
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"{_OPEN}{len(held) - 1}{_CLOSE}"

    return _convert(_TAGS.sub(hold, html), held)


def _convert(html: str, held: list[str]) -> str:
    converter = _Converter(held)
    converter.feed(html)
    converter.close()
    return "".join(converter.out)


def tidy(text: str) -> str:
    """Without spaces at line ends and without more than one blank line in a row."""
    stripped = text.strip()
    if " \n" in stripped or "\n\n\n" in stripped or "\t\n" in stripped:
        stripped = _BLANK_LINES.sub("", stripped)
    return stripped + "\n"
