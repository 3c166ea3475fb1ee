"""Webhooks of providers, at `/hooks/<channel>`: checked as they come, kept, and taken in later.

Who may tell, and what the words mean, stands in the provider's manifest (`delivery/feedback.py`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from journeylang.classes import dataclass
from journeylang.delivery.feedback import LARGEST, Feed, Feedback, NotTaken
from journeylang.delivery.links import Links
from journeylang.delivery.replies import to_webhook
from journeylang.delivery.signing import Received
from journeylang.serve.burning import Burnt
from journeylang.serve.keeper import Keeper
from journeylang.serve.limits import TooLargeError, UnreadableError, body
from journeylang.serve.metrics import Metrics
from journeylang.serve.records import Record, Said, Wrote, to_line
from journeylang.serve.spool import Spool, SpoolFullError
from journeylang.serve.words import keyword

_UNFIT = re.compile("[\x00\ud800-\udfff]")
LONGEST = 4_000
"""Characters of what somebody wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The channels whose providers tell something."""

    feeds: Mapping[str, Feed]
    links: Links
    spool: Spool
    keeper: Keeper
    metrics: Metrics
    burnt: Burnt

    async def answer(self, request: Request) -> Response:
        """One webhook: 200 as soon as all of it is kept."""
        request.scope["journey_route"] = "/hooks"
        channel = request.path_params["channel"]
        feed = self.feeds.get(channel)
        if feed is None:
            return self._refused(404, "hook", "nothing is told here")
        if request.method != "POST":
            return self._asked(feed, request)
        try:
            raw = await body(request.receive, request.headers.get("content-encoding", ""), LARGEST)
        except TooLargeError:
            return self._refused(413, "too_large", "too large")
        except UnreadableError:
            return self._refused(415, "encoding", "the body can't be unpacked")
        except TimeoutError:
            return self._refused(408, "slow", "the body took too long")
        received = Received(url=self._url(request), headers=dict(request.headers), body=raw)
        now = self.keeper.now()
        # A signature may ask for a certificate, which is fetched once.
        told = await asyncio.to_thread(feed.read, received, now)
        if isinstance(told, NotTaken):
            if told.forged:
                return self._refused(401, "signature", "not signed as it has to be")
            return self._refused(400, "webhook", "not understood")
        token = feed.once(received)
        if token is not None and not self.burnt.fits(token, raw):
            return self._refused(401, "signature", "not signed as it has to be")
        records = [r for one in told for r in records_of(one, channel, self.links)]
        try:
            await self.spool.keep(to_line(one) for one in records)
        except SpoolFullError:
            return self._refused(503, "full", "nothing can be kept for now")
        self.metrics.count("journey_taken_in_total", "kind", "feedback", len(records))
        reply = to_webhook(feed.webhook, received)
        return Response(reply.text, media_type=reply.media)

    def _asked(self, feed: Feed, request: Request) -> Response:
        """A GET: the provider looks whether the address is the right one."""
        received = Received(url=self._url(request), headers=dict(request.headers), body=b"")
        reply = feed.asked(received)
        if reply is None:
            return self._refused(403, "challenge", "not asked as it has to be")
        return Response(reply.text, media_type=reply.media)

    def _url(self, request: Request) -> str:
        """The address that the provider was given: signatures may rest on it."""
        query = request.url.query
        path = request.scope["path"] + (f"?{query}" if query else "")
        base = self.links.base_url
        return f"{base.rstrip('/')}{path}" if base is not None else str(request.url)

    def _refused(self, status: int, reason: str, words: str) -> Response:
        self.metrics.count("journey_refused_total", "reason", reason)
        headers = {"retry-after": "5"} if status == 503 else {}
        return PlainTextResponse(words, status, headers=headers)


def records_of(told: Feedback, channel: str, links: Links) -> Iterator[Record]:
    """What is kept of one thing that a provider tells."""
    provider = f"hook {channel}"
    message = told.message or told.provider_id
    detail = _UNFIT.sub(" ", told.detail or "")[:LONGEST]
    # Who writes is known by the address, also where it is in answer to something else than ours.
    writes = told.name == "replied" or (told.name == "unsubscribed" and message is None)
    if message is None or (writes and told.address is not None):
        if told.address is not None and writes:
            text = detail if told.name == "replied" else "STOP"
            yield Wrote(
                channel=channel,
                address=told.address.strip().lower(),
                text=text,
                provider=provider,
                event_id=told.id,
                at=told.at,
                message=message or "",
            )
        return
    name, data = told.name, dict[str, str]()
    machine = told.name == "prefetched"
    match told.name:
        case "prefetched":
            name = "opened"
        case "sent":
            name = "accepted"
        case "bounced":
            data = {"kind": "hard"}
        case "soft_bounced":
            name, data = "bounced", {"kind": "soft"}
        case "clicked" if detail:
            data = {"link": detail}
        case "replied" if detail:
            data = {"text": detail, "keyword": keyword(detail)}
        case "answered" if detail:
            data = {"value": detail}
        case "called" if detail:
            data = {"outcome": detail}
        case _:
            pass
    yield Said(
        name=name,
        message=message,
        provider=provider,
        event_id=told.id,
        at=told.at,
        data=data,
        machine=machine,
        address_hash=None if told.address is None else links.address_hash(channel, told.address),
    )
