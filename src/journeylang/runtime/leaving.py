"""Who leaves because they are no longer among the customers, and when nobody does."""

from __future__ import annotations

from journeylang.runtime.gone import Missing, is_meant, too_many
from journeylang.runtime.session import Done, News
from journeylang.runtime.waking import Waking
from journeylang.sql.gone import AGAIN, COUNTS, MOST, GoneSql


class Leaving(Waking):
    """One tick's question who is gone, and the counts at which it was asked."""

    gone_is_meant: bool
    # Whether the customers are being loaded, and how many are missing so that it looks like it.
    incomplete = False
    missing: Missing | None = None

    @property
    def _gone(self) -> GoneSql:
        found = self.ready.gone
        assert found is not None, "there are journeys"
        return found

    def _leave(self, news: News, done: Done) -> None:
        """Let those leave who are gone, if it is to be asked and the table is not being loaded."""
        if news.counts == self.counts:
            return
        if not self.gone:
            self._keep_counts(self._certain(news.counts))
            return
        left = self._execute(self._gone.leave)
        if left > MOST and not self.gone_is_meant:
            found = Missing(runs=left, active=self._query(self._gone.active)[0][0])
            if too_many(found.runs, found.active) and not is_meant(self.engine):
                self.missing = found
                self.incomplete = True
                self._keep_counts(found.counts)
                return
        # Of an empty table nothing was said: it is asked again when it has been loaded.
        self.incomplete = not left and not self._query(self._gone.somebody)
        if not self.incomplete:
            self._keep_counts(self._certain(news.counts))
        done.left += left

    def _certain(self, counts: str | None) -> str | None:
        """What is kept: counts that a tick found again, if its snapshot may be older than they are.

        A deletion that was counted then is seen by the next one.
        """
        again = f"{AGAIN}{counts}"
        return again if self._gone.early and self.counts != again else counts

    def _let_rest(self) -> None:
        """Of a table that is being loaded nobody is gone: they rest, also whoever would move on."""
        if self.incomplete:
            self._execute(self._gone.missing)

    def _keep_counts(self, counts: str | None) -> None:
        """Nobody is asked again whether they are gone until these are others."""
        self.counts = counts
        kept = {"name": COUNTS, "value": counts}
        name, value = self._p("name"), self._p("value")
        update = f"UPDATE journey.meta SET value = {value} WHERE name = {name}"
        if not self.engine.execute(update, kept):
            insert = f"INSERT INTO journey.meta (name, value) VALUES ({name}, {value})"
            self.engine.execute(insert, kept)
