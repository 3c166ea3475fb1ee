"""Who leaves because they are no longer among the customers, and when nobody does."""

from __future__ import annotations

from journeylang.engines.base import Engine
from journeylang.runtime.gone import IncompleteError, Missing, held, meant, too_many
from journeylang.runtime.session import Done, News
from journeylang.runtime.waking import Waking
from journeylang.sql.gone import AGAIN, COUNTS, MOST, GoneSql


class Leaving(Waking):
    """One tick's question who is gone, and the counts at which it was asked."""

    gone_is_meant: bool

    @property
    def _gone(self) -> GoneSql:
        found = self.ready.gone
        assert found is not None, "there are journeys"
        return found

    def _leave(self, news: News, done: Done) -> None:
        """Let those leave who are gone, if it is to be asked.

        Raises:
            IncompleteError: so many are that the table is rather being loaded.
        """
        if news.counts == self.counts:
            return
        if not self.gone:
            self._keep_counts(self._certain(news.counts))
            return
        left = self._execute(self._gone.leave)
        if not left and not self._query(self._gone.somebody):
            raise IncompleteError(self._missing(None))
        if left > MOST or (left and held(self.counts) is not None):
            self._doubt(left)
        self._keep_counts(self._certain(news.counts))
        done.left += left

    def _look_again(self, done: Done) -> None:
        """Whoever moves leaves, if they are gone, though nobody was asked: as many of them say the
        same.

        Raises:
            IncompleteError: so many are that the table is rather being loaded.
        """
        if not self.gone and done.woken:
            left = self._query(self._gone.leaving)[0][0]
            if left > MOST:
                self._doubt(left)

    def _doubt(self, left: int) -> None:
        """So many are gone, or some of a table that was being loaded: whether that can be."""
        if self.gone_is_meant or left <= meant(self.counts):
            return
        found, before = self._missing(left), held(self.counts)
        # Of a table that was being loaded as many are missing twice before it is taken to be whole.
        same = before is None or (before.runs == left and before.at < self.now)
        if too_many(found.runs, found.active) or not same:
            raise IncompleteError(found)

    def _missing(self, left: int | None) -> Missing:
        active = self._query(self._gone.active)[0][0]
        return Missing(runs=active if left is None else left, active=active, at=self.now)

    def _certain(self, counts: str | None) -> str | None:
        """What is kept: counts that a tick found again, if its snapshot may be older than they are.

        A deletion that was counted then is seen by the next one.
        """
        again = f"{AGAIN}{counts}"
        return again if self._gone.early and self.counts != again else counts

    def _keep_counts(self, counts: str | None) -> None:
        """Nobody is asked again whether they are gone until these are others."""
        self.counts = counts
        keep_counts(self.engine, counts)


def keep_counts(engine: Engine, counts: str | None) -> None:
    """What the next tick finds of the customers' counts."""
    d, kept = engine.dialect, {"name": COUNTS, "value": counts}
    name, value = d.parameter("name"), d.parameter("value")
    update = f"UPDATE journey.meta SET value = {value} WHERE name = {name}"
    if not engine.execute(update, kept):
        engine.execute(f"INSERT INTO journey.meta (name, value) VALUES ({name}, {value})", kept)
