"""Reads what a dry run has left behind: only what it brought about itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.simulate.forecast import Day, Estimate, Load, estimate, total
from journeylang.simulate.population import SCHEMA
from journeylang.sql.dialects import text
from journeylang.sql.schema import WHY

Counts = Mapping[tuple[Any, ...], Estimate]
SENT = f"{SCHEMA}.sent AS x"
"""The messages of a dry run, as `Figures.gather` counts them: `n` of them at a cost in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What was there before the first tick of a dry run: all behind it is its own."""

    tick: int
    batch: int

    @classmethod
    def now(cls, engine: Engine) -> Since:
        """To be asked before the first tick. Runs and exposures are marked, for they go on."""
        [[tick, batch]] = engine.query(
            "SELECT token, next_batch FROM journey.lock WHERE name = 'tick'"
        )
        engine.execute(
            f"CREATE TABLE {SCHEMA}.before AS SELECT customer_id, run_id, status FROM journey.run"
        )
        engine.execute(
            f"CREATE TABLE {SCHEMA}.exposed AS"
            " SELECT customer_id, experiment, salt FROM journey.exposure"
        )
        engine.execute(
            f"CREATE TABLE {SCHEMA}.held AS SELECT customer_id, journey, step, reason, 1 AS n"
            " FROM journey.run WHERE FALSE"
        )
        engine.execute(f"CREATE TABLE {SCHEMA}.paused AS SELECT journey, since FROM journey.pause")
        return cls(tick=tick, batch=batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`share` of the customers were there; `providers` names that of each channel, `rates` tell how
    many messages a second leave by it, where that is bounded. `moved` is the table of counted
    moves, if they are not rows of their own.
    """

    engine: Engine
    since: Since
    share: float
    providers: Mapping[str, str]
    rates: Mapping[str, float]
    moved: str | None = None

    # --- counting --------------------------------------------------------------

    def counted(
        self, names: tuple[str, ...], rows: str, amount: str = "1", where: str = ""
    ) -> dict[tuple[Any, ...], Estimate]:
        """Sums of an amount by columns over rows, which have a customer."""
        keys = ", ".join(f"{name} AS k{n}" for n, name in enumerate(names))
        listed = ", ".join(f"k{n}" for n in range(len(names)))
        condition = f" WHERE {where}" if where else ""
        if self.share >= 1:
            found = self.engine.query(
                f"SELECT {keys}, sum({amount}), 0 FROM {rows}{condition} GROUP BY ALL"
            )
        else:
            found = self.engine.query(
                f"""SELECT {listed}, sum(y), sum(y * y) FROM (
  SELECT {keys}, x.customer_id, CAST(sum({amount}) AS DOUBLE) AS y FROM {rows}{condition}
  GROUP BY ALL) AS c GROUP BY ALL"""
            )
        return {
            tuple(row[:-2]): estimate(float(row[-2] or 0), float(row[-1] or 0), self.share)
            for row in found
        }

    def gather(self) -> None:
        """Go through the messages once; to be called before anything is asked of them.

        Of all people they are counted by what they are ever told by; of a sample each is one.
        """
        told, by = "x.customer_id, 1 AS n, x.cost", ""
        if self.share >= 1:
            told, by = "count(*) AS n, sum(x.cost) AS cost", "GROUP BY ALL"
        self.engine.execute(
            f"CREATE TABLE {SCHEMA}.sent AS SELECT x.journey, x.step, x.channel, x.decided_at,"
            f" x.action IS NULL AS plain, {told} FROM journey.message AS x"
            f" WHERE x.batch_id >= {self.since.batch} {by}"
        )

    def messages(self, *names: str, where: str = "") -> dict[tuple[Any, ...], Estimate]:
        """How many, calls outside among them unless `x.plain` is asked for."""
        return self.counted(names, SENT, "x.n", where)

    def not_sent_for(self, reason: str) -> dict[int, Estimate]:
        """By journey, decisions not to send for one reason."""
        counts = self.counted(
            ("x.journey",),
            "journey.decision AS x",
            where=f"x.tick > {self.since.tick} AND x.step IS NOT NULL"
            f" AND x.reason = {text(reason)}",
        )
        return {key[0]: count for key, count in counts.items()}

    # --- days and loads ----------------------------------------------------------

    def days(self, names: Mapping[int, str]) -> Iterator[Day]:
        """Messages and their cost, by UTC day, journey and channel; calls are not among them."""
        by = ("CAST(x.decided_at AS DATE)", "x.journey", "x.channel")
        counts = self.messages(*by, where="x.plain")
        costs = self.engine.query(
            f"SELECT {', '.join(by)}, sum(x.cost) FROM {SENT} WHERE x.plain GROUP BY ALL"
        )
        spent = {tuple(row[:-1]): row[-1] for row in costs}
        for key in sorted(counts, key=lambda k: (k[0], names[k[1]], k[2])):
            yield Day(
                date=key[0].isoformat(),
                journey=names[key[1]],
                channel=key[2],
                messages=counts[key],
                cost=scaled_cost(spent[key], self.share),
            )

    def loads(self) -> Iterator[Load]:
        """Per provider, the busiest first; those of calls are named by their service."""
        ticks = self.messages("x.channel", "x.decided_at")
        by: dict[str, dict[Any, list[Estimate]]] = defaultdict(lambda: defaultdict(list))
        channels: dict[str, set[str]] = defaultdict(set)
        provider_ticks: dict[str, dict[str, list[tuple[datetime, float]]]] = defaultdict(dict)
        for (channel, at), count in sorted(ticks.items()):
            provider = self.providers.get(channel, "none")
            by[provider][at].append(count)
            provider_ticks[provider].setdefault(channel, []).append((at, count.value))
            channels[provider].add(channel)
        found = []
        for provider, instants in by.items():
            sums = {at: total(counts) for at, counts in instants.items()}
            peak_at = min(sums, key=lambda at: (-sums[at].value, at))
            takes, takes_at = self._longest(provider_ticks[provider])
            found.append(
                Load(
                    provider=provider,
                    channels=tuple(sorted(channels[provider])),
                    messages=total(sums.values()),
                    peak=sums[peak_at],
                    peak_at=peak_at,
                    takes=takes,
                    takes_at=takes_at,
                )
            )
        yield from sorted(found, key=lambda load: (-load.messages.value, load.provider))

    def _longest(
        self, channels: Mapping[str, list[tuple[datetime, float]]]
    ) -> tuple[float | None, datetime | None]:
        """Until the queue of a channel is empty, at worst; each leaves at its own rate."""
        longest: tuple[float | None, datetime | None] = (None, None)
        for channel, decided in channels.items():
            rate = self.rates.get(channel)
            if not rate:
                continue
            queue, before = 0.0, decided[0][0]
            for at, count in decided:
                queue = max(queue - rate * (at - before).total_seconds(), 0) + count
                before = at
                if longest[0] is None or queue / rate > longest[0]:
                    longest = queue / rate, at
        return longest


def scaled_cost(cost: Decimal | None, share: float) -> Decimal | None:
    if cost is None:
        return None
    return cost if share >= 1 else (cost / Decimal(str(share))).quantize(Decimal("0.0001"))


HELD = f"""INSERT INTO {SCHEMA}.held
SELECT t.customer_id, t.journey, t.to_step, r.reason, count(*)
FROM journey.transition AS t
JOIN journey.run AS r ON r.customer_id = t.customer_id AND r.run_id = t.run_id
WHERE t.tick = $tick AND t.why = {WHY["held"]} GROUP BY ALL"""
"""{tick}: who was made to wait at a send by a tick, and why."""
