"""Links of messages: opens, clicks, unsubscribing, preferences, answers, pictures of codes.

Every link is signed, and leads nowhere else than it says. A GET changes nothing but counts: what is
decided by a person is decided by a POST.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from journeylang.delivery.codes import png
from journeylang.delivery.links import Links, Purpose
from journeylang.engines.base import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    Engine,
    StatementError,
)
from journeylang.model.project import Project
from journeylang.serve.current import Current
from journeylang.serve.keeper import ClosedError, Keeper
from journeylang.serve.limits import TooLargeError, UnreadableError, body
from journeylang.serve.machines import device, is_machine
from journeylang.serve.metrics import Metrics
from journeylang.serve.page_words import Wordings, Words
from journeylang.serve.pages import CSP, PIXEL, SUBMIT, Choice, page, preferences
from journeylang.serve.records import FREQUENCIES, Chose, Record, Said, to_line
from journeylang.serve.spool import Spool, SpoolFullError
from journeylang.serve.taking import CONSENT, Taker

T = TypeVar("T")

_NO_ANSWER = (
    ClosedError,
    TimeoutError,
    StatementError,
    DatabaseBusyError,
    DatabaseUnavailableError,
)
"""What comes of a question that the database does not answer, or not in time."""

ASK = 4.0
"""Seconds for which a page waits for the database."""

SPEAK = 1.0
"""Seconds for which a page waits for the customer's language; then it is the browser's."""

FORM = 16 * 1024
"""Bytes of a form."""


class Tracking:
    """Answers the links of one project's messages."""

    def __init__(
        self,
        current: Current,
        links: Links,
        spool: Spool,
        keeper: Keeper,
        metrics: Metrics,
        wordings: Wordings,
    ) -> None:
        self.wordings = wordings
        self.current = current
        self.links = links
        self.spool = spool
        self.keeper = keeper
        self.metrics = metrics
        self._by_purpose: dict[Purpose, Callable[[Request, str, str], Any]] = {
            "c": self._click,
            "o": self._open,
            "u": self._unsubscribe,
            "p": self._preferences,
            "a": self._answer,
            "q": self._code,
        }

    async def answer(self, request: Request) -> Response:
        """Any link."""
        found = self.links.check(request.scope["path"])
        request.scope["journey_route"] = f"/{request.scope['path'][1:2]}"
        if found is None:
            self.metrics.count("journey_refused_total", "reason", "link")
            return self._page(request, "unknown", 404)
        purpose, message, target = found
        try:
            answer = await self._by_purpose[purpose](request, message, target)
        except SpoolFullError:
            self.metrics.count("journey_refused_total", "reason", "full")
            return self._page(request, "later", 503)
        assert isinstance(answer, Response)
        return answer

    @property
    def project(self) -> Project:
        return self.current.applied.loaded.project

    async def _keep(self, record: Record) -> None:
        await self.spool.keep([to_line(record)])
        kind = record.name if isinstance(record, Said) else "preferences"
        self.metrics.count("journey_taken_in_total", "kind", kind)

    def _said(self, name: str, message: str, event_id: str, **data: str) -> Said:
        return Said(
            name=name,
            message=message,
            provider="links",
            event_id=event_id,
            at=self.keeper.now(),
            data=data,
        )

    async def _click(self, request: Request, message: str, target: str) -> Response:
        answer = RedirectResponse(target, 302)
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405)
        at = self.keeper.now()
        said = Said(
            name="clicked",
            message=message,
            provider="links",
            # A click is one however often a nervous finger makes it.
            event_id=f"c:{int(at.timestamp()) // 2}:{target[:200]}",
            at=at,
            data={"link": target[:2000]},
            machine=is_machine(request.method, request.headers),
        )
        try:
            await self._keep(said)
        except SpoolFullError:
            # Whoever clicked gets there all the same.
            self.metrics.count("journey_refused_total", "reason", "full")
        return answer

    async def _open(self, request: Request, message: str, target: str) -> Response:
        at = self.keeper.now()
        said = Said(
            name="opened",
            message=message,
            provider="links",
            event_id=f"o:{int(at.timestamp()) // 10}",
            at=at,
            data={"device": device(request.headers)},
            machine=is_machine(request.method, request.headers),
        )
        try:
            await self._keep(said)
        except SpoolFullError:
            self.metrics.count("journey_refused_total", "reason", "full")
        return Response(PIXEL, media_type="image/gif")

    async def _unsubscribe(self, request: Request, message: str, target: str) -> Response:
        if request.method != "POST":
            return _html("unsubscribe", await self._customers_words(request, message))
        # RFC 8058: the body says `List-Unsubscribe=One-Click`; whatever it says, this is meant.
        at = self.keeper.now()
        await self._keep(self._said("unsubscribed", message, f"u:{at:%Y-%m-%dT%H:%M:%S}"))
        return await self._behind(request, "unsubscribed")

    async def _answer(self, request: Request, message: str, target: str) -> Response:
        question, _, value = target.partition("\0")
        if request.method != "POST":
            words = await self._customers_words(request, message)
            if question == CONSENT:
                # Programs that look at links run scripts too: a consent takes somebody's own hand.
                return _html("confirm", words)
            return _html("answer", words, value=value, script=SUBMIT)
        # The same answer again is no other one; another answer to the question is.
        event_id = f"a:{question}:{value}"[:250]
        await self._keep(self._said("answered", message, event_id, question=question, value=value))
        return await self._behind(request, "confirmed" if question == CONSENT else "answered")

    async def _code(self, request: Request, message: str, target: str) -> Response:
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(png(target), media_type="image/png", headers=headers)

    def _words(self, request: Request, locale: str | None = None) -> Words:
        return self.wordings.of(locale, request.headers.get("accept-language", ""))

    async def _customers_words(self, request: Request, message: str) -> Words:
        """Those of whoever had the message, if the database tells in time whose they are."""
        bound = self.project.binding.customers
        locale: str | None = None
        if bound is not None and bound.locale is not None:
            with suppress(*_NO_ANSWER):
                locale = await self._asked(
                    SPEAK, lambda e, taker: _locale(e, taker, _customer(e, taker, message))
                )
        return self._words(request, locale)

    async def _behind(self, request: Request, name: str) -> Response:
        """The page behind a form, in its language; a mail program that posts has shown none."""
        form = await _form(request) or {}
        return _html(name, self._words(request, next(iter(form.get("lang", ())), None)))

    async def _asked(self, seconds: float, question: Callable[[Engine, Taker], T]) -> T:
        return await asyncio.wait_for(asyncio.wrap_future(self.keeper.ask(question)), seconds)

    def _page(self, request: Request, name: str, status: int = 200, **values: object) -> Response:
        return _html(name, self._words(request), status, **values)

    # -- preferences

    async def _preferences(self, request: Request, message: str, target: str) -> Response:
        if request.method == "POST":
            form = await _form(request)
            if form is None or "shown" not in form:
                self.metrics.count("journey_refused_total", "reason", "form")
                return self._page(request, "unknown", 400)
            await self._keep(self._chosen(message, form))
            # In the language of the page that it answers.
            return _html("saved", self._words(request, next(iter(form.get("lang", ())), None)))
        try:
            found = await self._asked(ASK, lambda e, taker: self._standing(e, taker, message))
        except _NO_ANSWER:
            return self._page(request, "later", 503)
        if found is None:
            return self._page(request, "unknown", 404)
        locale, channels, topics, frequency = found
        made = preferences(self._words(request, locale), channels, topics, frequency)
        return Response(made, media_type="text/html", headers=_POLICY)

    def _chosen(self, message: str, form: dict[str, list[str]]) -> Chose:
        channels, topics = set(form.get("channel", ())), set(form.get("topic", ()))
        # A page that was opened before an apply says nothing of what has come with it.
        shown = set(form["shown"]) - {"1"}
        consents: dict[str, bool] = {}
        for topic in self.project.binding.topics.values():
            if shown and f"topic {topic.name}" not in shown:
                continue
            # Of topics that rest on one consent each has to be wanted.
            consents[topic.consent] = consents.get(topic.consent, True) and topic.name in topics
        frequency = next(iter(form.get("frequency", ())), None)
        return Chose(
            message=message,
            at=self.keeper.now(),
            consents=consents,
            channels={
                name: name in channels
                for name in _channels(self.project)
                if not shown or f"channel {name}" in shown
            },
            frequency=frequency if frequency in FREQUENCIES else None,
        )

    def _standing(
        self, engine: Engine, taker: Taker, message: str
    ) -> tuple[str | None, list[Choice], list[Choice], str] | None:
        """Locale, channels, topics and the frequency of whoever had the message."""
        sql, who = taker.answers, _customer(engine, taker, message)
        if who is None:
            return None
        # The taker's: another project may be served by now, which its statements know nothing of.
        binding = taker.project.binding
        channels = {name: binding.channels[name].consent for name in _channels(taker.project)}
        topics = list(binding.topics.values())
        consents = list(
            dict.fromkeys([*(c for c in channels.values() if c), *(t.consent for t in topics)])
        )
        asked = {"now": self.keeper.now(), "customers": [who]}
        rows = engine.query(sql.standing(consents), asked)
        given = dict(zip(consents, rows[0][1:], strict=True)) if rows else {}
        silent = {row[1] for row in engine.query(sql.unsubscribed, asked)}
        wishes = engine.query(
            "SELECT value FROM journey.preference WHERE customer_id = $customer"
            " AND name = 'frequency' ORDER BY \"at\" DESC LIMIT 1",
            {"customer": who},
        )
        return (
            _locale(engine, taker, who),
            [
                Choice(
                    name=name,
                    title=name.replace("_", " ").capitalize(),
                    given=bool(given.get(consent or "")) and name not in silent,
                )
                for name, consent in channels.items()
            ],
            [
                Choice(name=t.name, title=t.title or t.name, given=bool(given.get(t.consent)))
                for t in topics
            ],
            wishes[0][0] if wishes else "any",
        )


def _customer(engine: Engine, taker: Taker, message: str) -> Any:
    """The key of whoever had the message; None: nobody knows it."""
    rows = engine.query(taker.answers.messages, {"names": [message]})
    return next((row[1] for row in rows), None)


def _locale(engine: Engine, taker: Taker, who: Any) -> str | None:
    """In which a customer is written to; None: nobody says."""
    rows = [] if who is None else engine.query(taker.answers.locale, {"customers": [who]})
    return rows[0][0] if rows else None


def _channels(project: Project) -> list[str]:
    """Those that rest on a consent; without one there is nothing to take back."""
    return [c.name for c in project.binding.channels.values() if c.consent is not None]


_POLICY = {"content-security-policy": CSP, "vary": "accept-language"}


def _html(name: str, words: Words, status: int = 200, **values: object) -> Response:
    headers = _POLICY | ({"retry-after": "60"} if status == 503 else {})
    return Response(page(name, words, **values), status, media_type="text/html", headers=headers)


async def _form(request: Request) -> dict[str, list[str]] | None:
    try:
        raw = await body(request.receive, request.headers.get("content-encoding", ""), FORM)
        return parse_qs(raw.decode("utf-8"), max_num_fields=200)
    except (TooLargeError, UnreadableError, TimeoutError, ValueError):
        return None
