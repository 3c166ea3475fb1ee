"""How many people wait at each step, beside the step."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from lsprotocol import types as lsp

from journeylang.analysis.paths import LABELLED, Prefix, blocks, kind_of
from journeylang.api.database import open_address
from journeylang.classes import dataclass
from journeylang.engines.base import StatementError
from journeylang.loading.config import Config, read_config
from journeylang.loading.find import CONFIG
from journeylang.loading.secrets import secret
from journeylang.lsp.editing import Project
from journeylang.lsp.positions import position
from journeylang.source import Source
from journeylang.syntax import nodes

FRESH = 15.0
"""Seconds for which a look at the database is good."""

Waiting = Mapping[tuple[str, str], int]
"""Runs that rest at a step, by journey and path."""


@dataclass(slots=True)
class People:
    """Those of one environment, looked at now and then.

    What cannot be asked (no such environment, a secret that is not set here, a database that is
    away or in use, one in which nothing has run) has no people: an editor is no place to say so.
    """

    env: str
    environ: Mapping[str, str]
    _seen: dict[Path, tuple[float, Waiting]] = field(default_factory=dict)

    def waiting(self, project: Project) -> Waiting:
        """Slow where it looks: an address that does not answer takes seconds."""
        seen = self._seen.get(project.root)
        if seen is None or time.monotonic() - seen[0] > FRESH:
            found = self._look(project)
            seen = self._seen[project.root] = (time.monotonic(), found)
        return seen[1]

    def _look(self, project: Project) -> Waiting:
        address = self._address(project)
        opened = None if address is None else open_address(address, project.root, wait=0).value
        if opened is None:
            return {}
        try:
            if opened.columns(("journey", "lock")) is None:
                return {}
            rows = opened.query(
                "SELECT journey, step, count(*) FROM journey.runs"
                " WHERE status = 'active' AND step IS NOT NULL GROUP BY journey, step"
            )
        except StatementError:
            return {}
        finally:
            opened.close()
        return {(journey, step): count for journey, step, count in rows}

    def _address(self, project: Project) -> str | None:
        source = project.source(CONFIG)
        config: Config | None = None if source is None else read_config(source).value
        if config is None or self.env not in config.env:
            return None
        return secret(config.env[self.env].database, self.environ).value


def hints(
    source: Source, tree: nodes.File, waiting: Waiting, lines: range
) -> Iterator[lsp.InlayHint]:
    """Behind the label's line of each step at which somebody is, within the lines asked for.

    An `include` tells of all steps of its fragment.
    """
    for node in tree.declarations:
        if not isinstance(node, nodes.Journey):
            continue
        here = Counter(
            {path: count for (journey, path), count in waiting.items() if journey == node.name.text}
        )
        if here:
            yield from _of_steps(source, node.steps, (), here, lines)


def _of_steps(
    source: Source, block: nodes.Block, prefix: Prefix, here: Counter[str], lines: range
) -> Iterator[lsp.InlayHint]:
    for step in block:
        for inner, within in blocks(step, prefix):
            yield from _of_steps(source, inner, within, here, lines)
        if step.label is None or kind_of(step) not in LABELLED:
            continue
        path = "/".join((*prefix, step.label.text))
        count = here[path]
        if isinstance(step, nodes.Include):
            count += sum(n for other, n in here.items() if other.startswith(f"{path}/"))
        at = position(source, step.label.span.end)
        if count and at.line in lines:
            end = len(source.line(at.line + 1).rstrip())
            behind = position(source, source.offset(at.line + 1, end + 1))
            yield lsp.InlayHint(
                position=behind,
                label=f"{count:,} here",
                padding_left=True,
                tooltip="Runs that rest at this step, as of the last tick.",
            )
