"""Templates become messages: subject, HTML and text for one customer at a time.

A template is compiled once per process. What fails for one customer is a value (`Failed`)
that names the template's line and the kind of error, and nothing of the customer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache, partial
from html import escape
from threading import Lock
from typing import NamedTuple

from jinja2 import (
    FunctionLoader,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_eval_context,
)
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup

from journeylang.analysis.front_matter import TemplateParts, take_apart
from journeylang.analysis.template_scope import EXTENSIONS, LARGEST
from journeylang.analysis.template_use import TemplateUse
from journeylang.analysis.templates import template_use
from journeylang.classes import dataclass
from journeylang.delivery import quick
from journeylang.delivery.codes import WIDTH, data_url
from journeylang.delivery.filters import UnfitError
from journeylang.delivery.html_text import html_to_text, text_template, tidy
from journeylang.delivery.links import Links
from journeylang.delivery.markup import MarkupError, mjml_to_html, with_inlined_styles
from journeylang.delivery.response_codes import response_code
from journeylang.delivery.sandbox import (
    MAX_OUTPUT,
    MessageEnvironment,
    TooMuchWorkError,
    UnknownValueError,
)
from journeylang.source import Source


class Rendered(NamedTuple):
    """A message's content. `html` is None where the template is text alone.

    Subject and names are one line without control characters.
    """

    text: str
    html: str | None = None
    subject: str = ""
    sender: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No message came out. `file` and `line` are the template's, `kind` has no personal data."""

    file: str
    line: int | None
    kind: str

    @property
    def detail(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The template itself is missing or not understood: nobody can be sent this message."""

    file: str
    line: int | None
    kind: str

    @property
    def detail(self) -> str:
        return Failed(file=self.file, line=self.line, kind=self.kind).detail


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A compiled template, or a text without any tag.

    `tree` is what was compiled. `offset` leads from its lines to the file's; None: its lines are
    not those of the file.
    """

    file: str
    constant: str | None = None
    template: Template | None = None
    tree: nodes.Template | None = None
    environment: MessageEnvironment | None = None
    offset: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    body: _Piece
    is_html: bool
    inlined: bool
    text: _Piece | None
    head: dict[str, _Piece] = field(default_factory=dict)
    use: TemplateUse
    quick: quick.Writer | None

    @property
    def pieces(self) -> tuple[_Piece, ...]:
        """In the order in which they are written."""
        return (*self.head.values(), self.body, *((self.text,) if self.text is not None else ()))


class For(NamedTuple):
    """Whom and what one rendering is for. `scope`: customer, entry, the values of `with`, …;
    `number` is the message's, from which its response code is made."""

    message: str
    scope: Mapping[str, object]
    locale: str = "en"
    zone: str = "UTC"
    number: int = 0


class Renderer:
    """All templates of a project: path below `templates/` -> text."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = dict(sources)
        loader = FunctionLoader(self._load)
        self._html = MessageEnvironment(loader=loader, autoescape=True)
        self._plain = MessageEnvironment(loader=loader, autoescape=False)
        self._compiled: dict[tuple[str, str], _Compiled | Broken] = {}
        # The environments hold the locale and the budget of the message at work.
        self._lock = Lock()

    def use(self, template: str, channel: str) -> TemplateUse | Broken:
        """What a template asks for; `Broken` if there is none or it is not understood."""
        with self._lock:
            compiled = self._prepared(template, channel)
        return compiled if isinstance(compiled, Broken) else compiled.use

    def render(
        self, template: str, channel: str, what: For, links: Links
    ) -> Rendered | Failed | Broken:
        """The message for one customer."""
        with self._lock:
            compiled = self._prepared(template, channel)
            if isinstance(compiled, Broken):
                return compiled
            return self._rendered(compiled, channel, what, links)

    def _rendered(
        self, compiled: _Compiled, channel: str, what: For, links: Links
    ) -> Rendered | Failed:
        scope = {
            **self._html.globals,
            **what.scope,
            **_functions(compiled.use.functions, channel, what, links),
        }
        for environment in (self._html, self._plain):
            environment.begin(what.locale, what.zone)
        written = _quickly(compiled, scope)
        piece = compiled.body
        try:
            if written is None:
                written = []
                for piece in compiled.pieces:
                    written.append(_text(piece, scope))
                piece = compiled.body
            parts = iter(written)
            head = {key: one_line(next(parts)) for key in compiled.head}
            body = next(parts)
            if not compiled.is_html:
                return _finished(head, text=tidy(body), html=None)
            text = html_to_text(body) if compiled.text is None else tidy(next(parts))
            if compiled.inlined:
                body = with_inlined_styles(body)
        except Exception as error:  # noqa: BLE001 - anything a template raises is one message's
            return _failure(piece, error)
        html = _with_preheader(body, head["preheader"]) if "preheader" in head else body
        return _finished(head, text=text, html=html)

    def _prepared(self, template: str, channel: str) -> _Compiled | Broken:
        known = self._compiled.get((template, channel))
        if known is None:
            known = self._compiled[template, channel] = self._compile(template, channel)
        return known

    def _compile(self, template: str, channel: str) -> _Compiled | Broken:
        stem = f"{template}.{channel}"
        file = next((f for e in EXTENSIONS if (f := f"{stem}.{e}") in self.sources), None)
        if file is None:
            return Broken(file=f"{stem}.html", line=None, kind="there is no such template")
        own_text = f"{stem}.txt"
        is_html = file.endswith(_HTML)
        files = (file, own_text) if is_html and own_text in self.sources else (file,)
        uses = []
        for each in files:
            found = self._found(each)
            if isinstance(found, Broken):
                return found
            uses.append(found)
        reading = file
        try:
            head, body = self._pieces(file)
            text = None
            if len(files) == 2:
                reading = own_text
                text = self._pieces(own_text)[1]
            elif is_html:
                text = self._text_piece(file)
        except MarkupError as error:
            return Broken(file=file, line=None, kind=str(error))
        except TemplateSyntaxError as error:
            kind = f"not understood: {error.message or 'syntax'}"
            return Broken(file=reading, line=error.lineno, kind=kind)
        if channel == "email" and "subject" not in head:
            return Broken(file=file, line=1, kind="an e-mail needs a `subject` in the front matter")
        compiled = _Compiled(
            body=body,
            is_html=is_html,
            inlined=is_html and channel == "email",
            text=text,
            head=head,
            use=_together(uses),
            quick=None,
        )
        return replace(compiled, quick=self._quick(compiled.pieces))

    def _quick(self, pieces: Sequence[_Piece]) -> quick.Writer | None:
        parts: list[tuple[nodes.Template | str, MessageEnvironment]] = []
        for one in pieces:
            what = one.tree if one.tree is not None else one.constant
            assert what is not None
            parts.append((what, one.environment or self._plain))
        return quick.writer(parts)

    def _found(self, file: str) -> TemplateUse | Broken:
        """What a file uses, or what is wrong with it by the same rules as in a check."""
        if len(self.sources[file]) > LARGEST:
            return Broken(file=file, line=None, kind=f"larger than {LARGEST // 1024} KiB")
        source = Source(path=file, text=self.sources[file])
        others = {name: Source(path=name, text=text) for name, text in self.sources.items()}
        outcome = template_use(source, others)
        for problem in outcome.diagnostics:
            if problem.is_error:
                place = problem.span
                line = None if place is None else self._line(place.path, place.start)
                return Broken(file=place.path if place else file, line=line, kind=problem.message)
        assert outcome.value is not None, "without an error there is a value"
        return outcome.value

    def _line(self, file: str, offset: int) -> int:
        return self.sources.get(file, "").count("\n", 0, offset) + 1

    def _pieces(self, file: str) -> tuple[dict[str, _Piece], _Piece]:
        parts = _parts(file, self.sources[file])
        head = {
            part.name: self._piece(file, part.text, self._line(file, part.start) - 1)
            for part in parts.head
        }
        if file.endswith(".mjml"):
            # Its lines are none of the file's.
            return head, self._piece(file, mjml_to_html(parts.body.text), None, html=True)
        offset = self._line(file, parts.body.start) - 1
        return head, self._piece(file, parts.body.text, offset, html=file.endswith(".html"))

    def _text_piece(self, file: str) -> _Piece | None:
        body = _parts(file, self.sources[file]).body.text
        made = text_template(mjml_to_html(body) if file.endswith(".mjml") else body)
        if made is None:
            return None
        try:
            return self._piece(file, made, None)
        except TemplateError:
            # A statement begins in what is left out and ends in what is kept.
            return None

    def _piece(self, file: str, source: str, offset: int | None, *, html: bool = False) -> _Piece:
        if not _TAG.search(source):
            return _Piece(file=file, constant=source)
        environment = self._html if html else self._plain
        # Blank lines instead of the head give every line its number in the file.
        placed = "\n" * (offset or 0) + source
        return _Piece(
            file=file,
            template=environment.from_string(placed),
            tree=environment.parse(placed),
            environment=environment,
            offset=offset,
        )

    def _load(self, name: str) -> str | None:
        source = self.sources.get(name)
        return None if source is None else _parts(name, source).body.text


_TAG = re.compile(r"\{[\{%#]")
_HTML = (".html", ".mjml")
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
# C0 and C1 controls, and the two separators that some mail programs take for line ends.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_HIDDEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"


@lru_cache(maxsize=8)
def _renderer(sources: frozenset[tuple[str, str]]) -> Renderer:
    return Renderer(dict(sources))


def renderer(sources: Mapping[str, str]) -> Renderer:
    """The process's renderer for these very templates; compiled templates are kept in it."""
    return _renderer(frozenset(sources.items()))


def one_line(text: str) -> str:
    """A subject or a name: no line ends and no controls, so that no header can be added."""
    return _CONTROLS.sub(" ", text).strip() if not text.isprintable() else text.strip()


def _parts(file: str, text: str) -> TemplateParts:
    parts = take_apart(Source(path=file, text=text)).value
    assert parts is not None, "a file has a body at least"
    return parts


def _together(uses: list[TemplateUse]) -> TemplateUse:
    return TemplateUse(
        customer=tuple(one for use in uses for one in use.customer),
        entry=tuple(one for use in uses for one in use.entry),
        profile=tuple(one for use in uses for one in use.profile),
        names=tuple(one for use in uses for one in use.names),
        functions=frozenset(name for use in uses for name in use.functions),
    )


FUNCTIONS = ("link", "qr", "unsubscribe_url", "preference_url", "answer_url", "response_code")
"""What a template may ask of its message."""


def _functions(uses: frozenset[str], channel: str, what: For, links: Links) -> dict[str, object]:
    message = what.message
    made: dict[str, object] = {}
    for name in uses:
        match name:
            case "link":
                made[name] = partial(links.click, message)
            case "unsubscribe_url":
                made[name] = links.unsubscribe(message)
            case "preference_url":
                made[name] = links.preferences(message)
            case "answer_url":
                made[name] = partial(links.answer, message)
            case "qr":
                made[name] = _qr(message, links if channel == "email" else None)
            case "response_code":
                made[name] = response_code(what.number)
            case _:
                pass
    return made


def _qr(message: str, links: Links | None) -> Callable[..., str]:
    """`{{ qr(url) }}`: a picture of a QR code in HTML, the address itself in a text.

    Mailbox providers show no pictures that stand in the message, so that in an e-mail it is one
    of `journey serve`, if there is such an address.
    """

    @pass_eval_context
    def qr(context: EvalContext, text: str) -> str:
        if not context.autoescape:
            return text
        data = data_url(text)
        url = (links.code(message, text) if links is not None else None) or data
        return Markup('<img src="{}" alt="{}" width="{}">').format(url, text, WIDTH)

    return qr


def _quickly(compiled: _Compiled, scope: Mapping[str, object]) -> list[str] | None:
    """The texts of all pieces; None: the templates are to be asked."""
    if compiled.quick is None:
        return None
    try:
        written = compiled.quick(scope)
    except Exception:  # noqa: BLE001 - the template says what it is
        return None
    if max(map(len, written)) > MAX_OUTPUT:
        return None
    return list(written)


def _text(piece: _Piece, scope: dict[str, object]) -> str:
    if piece.template is None:
        assert piece.constant is not None
        return piece.constant
    template = piece.template
    # What `new_context` makes of a scope that is shared, for a quarter of the time.
    context = Context(template.environment, scope, template.name, template.blocks)
    parts = list(template.root_render_func(context))
    if sum(map(len, parts)) > MAX_OUTPUT:
        raise TooMuchWorkError(f"more than {MAX_OUTPUT // 1024} KiB of output")
    return "".join(parts).lstrip("\n")


def _finished(head: dict[str, str], *, text: str, html: str | None) -> Rendered:
    return Rendered(
        text=text,
        html=html,
        subject=head.get("subject", ""),
        sender=head.get("from"),
        reply_to=head.get("reply_to"),
    )


def _with_preheader(html: str, preheader: str) -> str:
    """What inboxes show behind the subject: hidden text at the start of the body."""

    hidden = f'<div style="{_HIDDEN}">{escape(preheader)}</div>'
    found = _BODY.search(html)
    at = found.end() if found else 0
    return html[:at] + hidden + html[at:]


def _failure(piece: _Piece, error: Exception) -> Failed:
    """Where and of what kind; an exception's own words may quote the customer's data."""

    file, line = piece.file, None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            known = template.name is not None or piece.offset is not None
            line = template.get_corresponding_lineno(trace.tb_lineno) if known else None
            file = template.name or piece.file
        trace = trace.tb_next
    return Failed(file=file, line=line, kind=_kind(error))


def _kind(error: Exception) -> str:

    kinds: tuple[tuple[type[Exception], Callable[[], str]], ...] = (
        (UnknownValueError, lambda: str(error)),
        (UnfitError, lambda: str(error)),
        (TooMuchWorkError, lambda: "more work or output than one message may cost"),
        (SecurityError, lambda: "not available in templates"),
        (UndefinedError, lambda: "a name that is not defined"),
        (RecursionError, lambda: "includes or macros without an end"),
        (ZeroDivisionError, lambda: "division by zero"),
        (MemoryError, lambda: "more memory than one message may take"),
    )
    for of, say in kinds:
        if isinstance(error, of):
            return say()
    return f"cannot be computed ({type(error).__name__})"
