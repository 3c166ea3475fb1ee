"""Who is to be asked in a tick whether they leave or go on, and who wakes."""

from __future__ import annotations

from datetime import datetime, timedelta

from journeylang.plan.incremental import Kind
from journeylang.runtime.looks import Among, Looks
from journeylang.runtime.session import Blamed, Done, News
from journeylang.runtime.settling import Settling
from journeylang.sql.moves import JourneySql


class Waking(Settling):
    """Whose conditions are asked, and the statements that ask them."""

    looks: Looks

    def _exits_statement(self, sql: JourneySql, news: News) -> str | None:
        if sql.exits is None:
            return None
        among = self.looks.among(sql.journey, "exits")
        if among == "nobody" or not news.active.get(sql.journey):
            return None
        return sql.exits if among == "everybody" else sql.exits_changed

    def _states(self, sql: JourneySql, news: News) -> Among:
        """Of whom those who wait for a state are asked; nobody while the journey is paused."""
        if "states" not in sql.looks or sql.journey in news.pauses.paused:
            return "nobody"
        among = self.looks.among(sql.journey, "states")
        return among if sql.journey in news.states else "nobody"

    def _wakes(self, sql: JourneySql, news: News) -> bool:
        if sql.journey in news.pauses.paused:
            return False
        if sql.journey in news.pauses.resumed:
            return True
        if sql.journey in news.due or self._states(sql, news) != "nobody":
            return True
        waits_for = set(sql.race_events)
        return bool(news.active.get(sql.journey)) and (
            "sent" in waits_for or bool(waits_for & news.events)
        )

    def _wake(self, waking: list[JourneySql], news: News, done: Done) -> None:
        if not waking:
            return
        if not self.apart:
            done.woken += self._wake_together(waking, news, done)
            return
        for sql in waking:
            with Blamed(sql.name):
                done.woken += self._wake_together([sql], news, done)

    def _wake_together(self, waking: list[JourneySql], news: News, done: Done) -> int:
        asked = {sql.journey: self._states(sql, news) for sql in waking}
        everybody = frozenset(j for j, among in asked.items() if among == "everybody")
        changed = frozenset(j for j, among in asked.items() if among == "changed")
        since = self._since("states", *changed)
        return self._set_out(frozenset(asked), everybody, changed, since, done)

    def _set_out(
        self,
        journeys: frozenset[int],
        everybody: frozenset[int],
        changed: frozenset[int],
        since: dict[str, datetime],
        done: Done,
    ) -> int:
        moves, left = self.ready.moves, bool(done.left)
        wake = moves.wake_straight(journeys, everybody, changed, left=left)
        self.begun.add(0 if wake is None else 1)
        if wake is None:
            wake = moves.wake(journeys, everybody, changed, left=left)
        return self._execute(wake, **since)

    def _since(self, kind: Kind, *journeys: int) -> dict[str, datetime]:
        return self.looks.looked(kind, *journeys) if journeys else {}

    def _wake_resumed(self, waking: list[JourneySql], news: News, done: Done) -> None:
        """Journeys that were paused, as after a late tick: what came meanwhile is new to them."""
        resumed = news.pauses.resumed
        for sql in waking:
            if sql.journey not in resumed:
                continue
            since = {
                f"since_{name}": resumed[sql.journey] - timedelta(seconds=self.ready.late(name))
                for name in (*self.ready.events, "sent")
            }
            with Blamed(sql.name):
                alone = frozenset([sql.journey])
                waiting = self._states(sql, news) != "nobody"
                asked = alone if waiting else frozenset()
                done.woken += self._set_out(alone, asked, frozenset(), since, done)
            earliest = min(since.values())
            news.earliest = min(news.earliest or earliest, earliest)
