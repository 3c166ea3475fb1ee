"""Links of a built site that lead nowhere: pages, anchors, files, pictures, styles, scripts."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Reader(HTMLParser):
    """What a page asks for, what it leads to, and which places it has."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: set[str] = set()
        self.asks: set[str] = set()
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.places |= {known[name] for name in ("id", "name") if known.get(name)}
        if "src" in known:
            self.asks.add(known["src"])
        if "href" in known:
            (self.leads if tag == "a" else self.asks).add(known["href"])


def read(page: Path) -> _Reader:
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def broken(folder: Path) -> list[str]:
    """`page: link` of each that leads nowhere, or that asks a network for a part of a page."""
    read_pages = {page.resolve(): read(page) for page in sorted(folder.rglob("*.html"))}
    found = []
    for page, reader in read_pages.items():
        shown = page.relative_to(folder.resolve()).as_posix()
        # Another address serves this one for whatever is not there, so it starts at the root.
        base = folder.resolve() if shown == "404.html" else page.parent
        for link in sorted(reader.leads | reader.asks):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in reader.asks and parts.scheme != "data":
                    found.append(f"{shown}: asks {link}")
                continue
            way = unquote(parts.path)
            target = (base / way.lstrip("/") if way else page).resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{shown}: {link}")
            elif parts.fragment and target in read_pages:
                places = read_pages[target].places
                found += [f"{shown}: {link}"] * (unquote(parts.fragment) not in places)
    return found
