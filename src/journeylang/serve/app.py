"""The application: routes, and what they share."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from journeylang.classes import dataclass
from journeylang.delivery.feedback import Feed
from journeylang.delivery.links import Links
from journeylang.model.project import Project
from journeylang.serve.burning import Burnt
from journeylang.serve.current import Current
from journeylang.serve.dashboard import Dashboard
from journeylang.serve.hooks import Hooks
from journeylang.serve.intake import Intake, UnfitError
from journeylang.serve.keeper import Keeper
from journeylang.serve.limits import (
    App,
    Guarded,
    Rates,
    TooLargeError,
    UnreadableError,
    body,
)
from journeylang.serve.metrics import Metrics
from journeylang.serve.openapi import document
from journeylang.serve.page_words import Wordings
from journeylang.serve.records import to_line
from journeylang.serve.spool import Spool, SpoolFullError
from journeylang.serve.teller import Teller
from journeylang.serve.tokens import Tokens
from journeylang.serve.tracking import Tracking

LAGS = 120.0
"""Seconds for which the database may be behind before `/health` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served. Without `tokens` nobody can post events."""

    current: Current
    name: str
    links: Links
    spool: Spool
    keeper: Keeper
    metrics: Metrics
    wordings: Wordings
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    rate: float = 500.0
    teller: Teller | None = None
    dashboard: Dashboard | None = None

    @property
    def project(self) -> Project:
        """As it was applied last."""
        return self.current.applied.loaded.project

    @property
    def intake(self) -> Intake:
        """What may be posted now."""
        return self.current.intake


def application(serving: Serving) -> App:
    """The ASGI application; the spool is open and the keeper runs."""
    tracking = Tracking(
        serving.current,
        serving.links,
        serving.spool,
        serving.keeper,
        serving.metrics,
        serving.wordings,
    )
    posts = Posts(serving)
    hooks = Hooks(
        feeds=serving.feeds,
        links=serving.links,
        spool=serving.spool,
        keeper=serving.keeper,
        metrics=serving.metrics,
        burnt=Burnt(serving.spool.folder),
    )

    async def health(request: Request) -> Response:
        return _health(request, serving)

    async def metrics(request: Request) -> Response:
        request.scope["journey_route"] = "/metrics"
        return PlainTextResponse(
            serving.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    async def openapi(request: Request) -> Response:
        request.scope["journey_route"] = "/openapi.json"
        return JSONResponse(document(serving.name, serving.intake))

    routes = [
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi),
        Route("/events", posts.answer, methods=["POST"]),
        Route("/hooks/{channel}", hooks.answer, methods=["GET", "POST"]),
        *(
            Route(f"/{purpose}/{{rest:path}}", tracking.answer, methods=["GET", "POST"])
            for purpose in ("c", "o", "u", "p", "a", "q")
        ),
        *(serving.dashboard.routes() if serving.dashboard is not None else ()),
    ]
    app = Starlette(routes=routes)
    serving.metrics.gauges["journey_revision"] = lambda: float(serving.current.applied.revision)
    attention = serving.keeper.attention
    serving.metrics.gauges["journey_restart_needed"] = lambda: float(attention.restart is not None)
    serving.metrics.gauges["journey_spool_bytes"] = lambda: float(serving.keeper.drain.waiting())
    return Guarded(app, serving.metrics, Rates(serving.rate))


def _health(request: Request, serving: Serving) -> Response:
    request.scope["journey_route"] = "/health"
    drained = serving.keeper.drained_at
    behind = None if drained is None else time.monotonic() - drained
    late = serving.keeper.failures > 0 and (behind is None or behind > LAGS)
    attention = serving.keeper.attention
    late = late or attention.away is not None
    state = "full" if serving.spool.failing else "behind" if late else "ok"
    found: dict[str, Any] = {
        "status": state,
        "spool_bytes": serving.keeper.drain.waiting(),
        "database_seconds_ago": None if behind is None else round(behind, 1),
        "to_do": attention.now(),
    }
    return JSONResponse(found, 200 if state == "ok" else 503)


class Posts:
    """`POST /events`."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.metrics = serving.metrics
        self.tokens = Tokens(serving.tokens)

    async def answer(self, request: Request) -> Response:
        """One request."""
        request.scope["journey_route"] = "/events"
        if not self.tokens.bears(request.headers.get("authorization", "")):
            return self._refused(401, "token", "no token, or none that is known")
        try:
            raw = await body(request.receive, request.headers.get("content-encoding", ""))
        except TooLargeError:
            return self._refused(413, "too_large", "more than 1 MiB; post it in several requests")
        except UnreadableError:
            return self._refused(415, "encoding", "the body can't be unpacked; use gzip or nothing")
        except TimeoutError:
            return self._refused(408, "slow", "the body took too long")
        try:
            posted = json.loads(raw)
            records = self.serving.intake.read(posted, self.serving.keeper.now())
        except UnfitError as error:
            return self._refused(422, "unfit", str(error))
        except (ValueError, RecursionError):
            return self._refused(400, "json", "the body is no JSON")
        good = [one for one in records if not isinstance(one, str)]
        bad = [(n, one) for n, one in enumerate(records) if isinstance(one, str)]
        try:
            await self.serving.spool.keep(to_line(one) for one in good)
        except SpoolFullError:
            return self._refused(503, "full", "nothing can be kept for now; post it again")
        self.metrics.count("journey_taken_in_total", "kind", "event", len(good))
        self.metrics.count("journey_refused_total", "reason", "unfit", len(bad))
        answer = {
            "accepted": len(good),
            "refused": [{"index": n, "error": error} for n, error in bad],
        }
        return JSONResponse(answer, 202 if good else 422)

    def _refused(self, status: int, reason: str, words: str) -> Response:
        self.metrics.count("journey_refused_total", "reason", reason)
        headers: Mapping[str, str] = {}
        if status == 401:
            headers = {"www-authenticate": "Bearer"}
        elif status == 503:
            headers = {"retry-after": "5"}
        return JSONResponse({"error": words}, status, headers=dict(headers))
