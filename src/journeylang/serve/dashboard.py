"""The dashboard: pages behind a token, below `/dashboard`.

Who has signed in has a cookie for twelve hours, made of the token itself: a new token ends all of
them. What changes something is a POST with a sign of the same cookie, so that no other site can
bring it about. Programs send the token as a bearer.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from journeylang.engines.base import StatementError
from journeylang.serve.board import AwayError, Board, NoSuchError
from journeylang.serve.dashboard_pages import CSP, page
from journeylang.serve.limits import TooLargeError, UnreadableError, body
from journeylang.serve.metrics import Metrics
from journeylang.serve.tokens import Tokens

ROOT = "/dashboard"
COOKIE = "journey_dashboard"
LASTS = 12 * 3600
"""Seconds until somebody has to sign in again."""

LARGEST_FORM = 8 * 1024
WRONG = 10
"""So many wrong tokens in a minute are answered; then nobody signs in until it is over."""

MOST_LOST = 30
_SAFE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

Answer = Callable[[Request], Awaitable[Response]]


class Dashboard:
    """`secure`: cookies go through TLS alone."""

    def __init__(self, board: Board, token: str, metrics: Metrics, *, secure: bool) -> None:
        self.board = board
        self.metrics = metrics
        self.secure = secure
        self._tokens = Tokens([token])
        self._key = hashlib.sha256(b"journey dashboard\0" + token.encode()).digest()
        self._wrong: list[float] = []

    def routes(self) -> list[Route]:
        """All of them below `ROOT`."""
        inside = {
            "": self.overview,
            "/live": self.live,
            "/journeys/{name}": self.journey,
            "/journeys/{name}/drawing": self.drawing,
            "/journeys/{name}/report": self.report,
            "/why": self.why,
        }
        return [
            Route(f"{ROOT}/htmx.js", self.script),
            Route(f"{ROOT}/in", self.enter, methods=["GET", "POST"]),
            Route(f"{ROOT}/out", self._behind(self.leave), methods=["POST"]),
            *(Route(ROOT + path, self._behind(answer)) for path, answer in inside.items()),
            Route(f"{ROOT}/{{kind}}/{{name}}/{{word}}", self._behind(self.act), methods=["POST"]),
        ]

    # -- who may look

    def _behind(self, answer: Answer) -> Answer:
        """Only for those who have signed in; what goes wrong is told as a page."""

        async def guarded(request: Request) -> Response:
            request.scope["journey_route"] = ROOT
            if not self._knows(request):
                if request.method == "GET" and "hx-request" not in request.headers:
                    return RedirectResponse(f"{ROOT}/in", 303)
                return _html(page("told", **_told("Signed out", "Sign in again.")), 401)
            try:
                return await answer(request)
            except NoSuchError as error:
                return _html(page("told", **_told("Not here", str(error))), 404)
            except AwayError as error:
                words = f"The database cannot be had: {error}."
                return _html(page("told", **_told("Not now", words)), 503)
            except StatementError:
                self.metrics.count("journey_failures_total", "kind", "request")
                words = "The database refused a statement; `journey status` tells more."
                return _html(page("told", **_told("Not possible", words)), 500)

        return guarded

    def _knows(self, request: Request) -> bool:
        header = request.headers.get("authorization", "")
        return self._tokens.bears(header) or self._fresh(request.cookies.get(COOKIE, ""))

    def _fresh(self, cookie: str) -> bool:
        until, _, sign = cookie.partition(".")
        if not until.isascii() or not until.isdigit() or len(until) > 12:
            return False
        return hmac.compare_digest(sign, self._sign(f"until {until}")) and int(until) > time.time()

    def _sign(self, what: str) -> str:
        return hmac.new(self._key, what.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _form_sign(self, request: Request) -> str:
        return self._sign(f"form {request.cookies.get(COOKIE, '')}")

    async def enter(self, request: Request) -> Response:
        """The page to sign in on, and what it sends."""
        request.scope["journey_route"] = ROOT
        if request.method == "GET":
            return _html(page("enter", root=ROOT, wrong=False))
        now = time.monotonic()
        self._wrong = [at for at in self._wrong if at > now - 60]
        if len(self._wrong) >= WRONG:
            words = "Too many wrong tokens. Try again in a minute."
            return _html(page("told", **_told("Not now", words)), 429)
        form = await _form(request)
        if not self._tokens.knows(form.get("token", "")):
            self._wrong.append(now)
            self.metrics.count("journey_refused_total", "reason", "token")
            return _html(page("enter", root=ROOT, wrong=True), 403)
        answer = RedirectResponse(ROOT, 303)
        until = f"{int(time.time()) + LASTS}"
        answer.set_cookie(
            COOKIE,
            f"{until}.{self._sign(f'until {until}')}",
            max_age=LASTS,
            path=ROOT,
            httponly=True,
            samesite="strict",
            secure=self.secure,
        )
        return answer

    async def leave(self, request: Request) -> Response:
        await self._meant(request)
        answer = RedirectResponse(f"{ROOT}/in", 303)
        answer.delete_cookie(COOKIE, path=ROOT)
        return answer

    async def _meant(self, request: Request) -> dict[str, str]:
        """The form, if one of these pages has sent it.

        A bearer is in no browser, so nobody can be made to send one.
        """
        form = await _form(request)
        if "authorization" in request.headers:
            return form
        if not hmac.compare_digest(form.get("sign", ""), self._form_sign(request)):
            raise NoSuchError("the page is too old; load it again")
        return form

    # -- what there is to see

    async def overview(self, request: Request) -> Response:
        values = await run_in_threadpool(self._figures)
        return _html(page("overview", **self._common(request), **values))

    async def live(self, request: Request) -> Response:
        """The figures alone, for the page that renews itself."""
        values = await run_in_threadpool(self._figures)
        return _html(page("live", **self._common(request), **values))

    async def journey(self, request: Request) -> Response:
        name = request.path_params["name"]
        drawing = await run_in_threadpool(self.board.drawing, name)
        paused = await run_in_threadpool(self.board.paused, name)
        told = self.board.project.journeys[name].title
        values = {"name": name, "drawing": drawing, "paused": paused, "told": told}
        return _html(page("journey", **self._common(request), **values))

    async def drawing(self, request: Request) -> Response:
        return _html(await run_in_threadpool(self.board.drawing, request.path_params["name"]))

    async def report(self, request: Request) -> Response:
        """A page of its own, as `journey report --output html` makes it."""
        made = await run_in_threadpool(self.board.report, request.path_params["name"])
        if made is None:
            return _html(page("told", **_told("Nothing yet", "Nothing has run here.")))
        return HTMLResponse(made, headers={"content-security-policy": _SAFE})

    async def why(self, request: Request) -> Response:
        customer = request.query_params.get("customer", "").strip()[:200]
        named = request.query_params.get("journey") or None
        if not customer:
            raise NoSuchError("name a customer by the key")
        story = await run_in_threadpool(self.board.story, customer, named)
        return _html(page("why", **self._common(request), story=story))

    async def act(self, request: Request) -> Response:
        """Pause or resume a journey or a channel."""
        form = await self._meant(request)
        kind, name, word = (request.path_params[key] for key in ("kind", "name", "word"))
        why = form.get("why", "").strip()[:200]
        board = self.board
        match kind, word:
            case "journeys", "pause":
                await run_in_threadpool(board.pause, name, why)
            case "journeys", "resume":
                await run_in_threadpool(board.resume, name)
            case "channels", "pause":
                await run_in_threadpool(board.pause_channel, name, why)
            case "channels", "resume":
                await run_in_threadpool(board.resume_channel, name)
            case _:
                raise NoSuchError(f"nothing is called `{word[:100]}` here")
        back = f"{ROOT}/journeys/{name}" if (kind, word) == ("journeys", "pause") else ROOT
        return RedirectResponse(back, 303)

    async def script(self, request: Request) -> Response:
        request.scope["journey_route"] = ROOT
        headers = {"cache-control": "public, max-age=86400"}
        return Response(_htmx(), media_type="text/javascript", headers=headers)

    def _common(self, request: Request) -> dict[str, Any]:
        return {
            "root": ROOT,
            "project": self.board.loaded.config.project.name,
            "env": self.board.env,
            "sign": self._form_sign(request),
            "to_do": self.board.attention.now(),
        }

    def _figures(self) -> dict[str, Any]:
        found = self.board.overview()
        runs, ended, overdue = Counter[str](), Counter[str](), Counter[str]()
        wakes: dict[str, str] = {}
        for row in found["runs"]:
            name = row["journey"]
            if row["status"] != "active":
                ended[name] += row["runs"]
                continue
            runs[name] += row["runs"]
            overdue[name] += row["overdue"]
            if row["next_wake"] is not None:
                wake = f"{row['next_wake']:%Y-%m-%d %H:%M}"
                wakes[name] = min(wakes.get(name, wake), wake)
        paused = {one["journey"]: one for one in found["paused"]}
        silent = {one["channel"]: one for one in found["paused_channels"]}
        states: dict[str, list[tuple[str, int]]] = {}
        for row in found["messages"]:
            states.setdefault(row["channel"], []).append((row["state"], row["messages"]))
        lost = sorted(found["non_sends"], key=lambda row: -row["count"])[:MOST_LOST]
        return {
            "now": found["now"],
            "alarms": found["alarms"],
            "lag": _span(found["lag_seconds"]),
            "active": runs.total(),
            "queued": sum(n for all_ in states.values() for state, n in all_ if state == "queued"),
            "doubtful": found["doubtful"],
            "guards": found["guards"],
            "lost": lost,
            "journeys": [
                {
                    "name": name,
                    "active": runs[name],
                    "ended": ended[name],
                    "wake": wakes.get(name, ""),
                    "overdue": overdue[name],
                    "paused": paused.get(name),
                }
                for name in self.board.project.journeys
            ],
            "channels": [
                {"name": name, "states": states.get(name, []), "paused": silent.get(name)}
                for name in self.board.project.binding.channels
            ],
        }


def _span(seconds: int | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _told(title: str, words: str) -> Mapping[str, str]:
    return {"title": title, "words": words, "root": ROOT}


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, headers={"content-security-policy": CSP})


async def _form(request: Request) -> dict[str, str]:
    """The last value of each field; of what is no form, nothing."""
    try:
        raw = await body(request.receive, request.headers.get("content-encoding", ""), LARGEST_FORM)
    except (TooLargeError, UnreadableError, TimeoutError):
        return {}
    try:
        fields = parse_qs(raw.decode(), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


@cache
def _htmx() -> bytes:
    """As its makers have published it (version 4.0.1; its licence lies beside it)."""
    return (files("journeylang.serve") / "shipped" / "htmx-4.0.1.min.js").read_bytes()
