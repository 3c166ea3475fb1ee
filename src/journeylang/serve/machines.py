"""Opens and clicks that no person did: programs that look at links before anybody does."""

from __future__ import annotations

import re
from collections.abc import Mapping

_AGENTS = re.compile(
    r"bot\b|crawl|spider|preview|prefetch|scan|monitor|headless|phantomjs"
    r"|\bcurl/|\bwget/|python-|\bhttpx?/|aiohttp|go-http-client|\bjava/|okhttp|libwww|axios"
    r"|barracuda|proofpoint|mimecast|fireeye|trendmicro|symantec|forcepoint|ironport|safelinks"
    r"|facebookexternalhit|slackbot|whatsapp|telegrambot|skypeuri|discordbot",
    re.IGNORECASE,
)
_BEFOREHAND = ("purpose", "sec-purpose", "x-purpose", "x-moz")
# Mail Privacy Protection loads every picture, seen or not, and calls itself this and no more.
_BARE = "Mozilla/5.0"


def is_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request for a link of a message is a program's own doing.

    Proxies by which mailbox providers show pictures as somebody looks (Gmail's, Yahoo's) are not.
    """
    if method == "HEAD":
        return True
    if any("fetch" in headers.get(n, "") or "preview" in headers.get(n, "") for n in _BEFOREHAND):
        return True
    agent = headers.get("user-agent", "")
    return not agent or agent == _BARE or _AGENTS.search(agent) is not None


def device(headers: Mapping[str, str]) -> str:
    """`mobile`, `tablet` or `desktop`: all that is kept of what the browser says about itself."""
    agent = headers.get("user-agent", "")
    if re.search(r"iPad|Tablet|Android(?!.*Mobile)", agent):
        return "tablet"
    return "mobile" if re.search(r"Mobi|iPhone|Android", agent) else "desktop"
