"""Breaks in the compiler and the runtime, one each, and the tests that are to notice.

A text stands exactly once in its file; `python -m tests.mutation` says where it no longer does.
"""

from __future__ import annotations

from dataclasses import dataclass

AGREE = "tests/agreement/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Put `broken` in the place of `whole`; `tests` are what pytest is asked to run."""

    file: str
    whole: str
    broken: str
    tests: tuple[str, ...]


def _m(file: str, whole: str, broken: str, *tests: str) -> Mutant:
    return Mutant(file=file, whole=whole, broken=broken, tests=tests)


_CAPS = (f"{AGREE}test_caps.py", f"{AGREE}test_sends.py")
_SENDS = (f"{AGREE}test_sends.py",)

MUTANTS = (
    # caps
    _m("sql/caps.py", 'f"{counted} >= {cap.limit}"', 'f"{counted} > {cap.limit}"', *_CAPS),
    _m("sql/caps.py", '"m.decided_at > {self.now} -', '"m.decided_at >= {self.now} -', *_CAPS),
    _m("sql/caps.py", '"m.decided_at >= z.', '"m.decided_at > z.', *_CAPS),
    _m("sql/caps.py", "WHERE m.counted AND", "WHERE", *_CAPS),
    _m("sql/caps.py", 'f"{most} <= 0"', '"FALSE"', *_CAPS),
    _m("sql/caps.py", "min(m.decided_at){only}", "max(m.decided_at){only}", *_CAPS),
    _m("sql/caps.py", "if self.there.given_back", "if False", *_CAPS, f"{AGREE}test_feedback.py"),
    # consent and suppression
    _m("sql/reach.py", "{said}.yes > {said}.no)", "{said}.yes >= {said}.no)", *_SENDS),
    _m("sql/reach.py", "WHERE k.at <= ", "WHERE k.at < ", *_SENDS),
    _m("sql/reach.py", "AND NOT ({refused}))", ")", *_SENDS),
    _m("sql/reach.py", "return f\"NOT {self._by_channel('address_')}\"", 'return "FALSE"', *_SENDS),
    _m("sql/reach.py", "if self.there.suppressions else", "if False else", *_SENDS),
    # deciding: limits, quiet times, control groups
    _m(
        "sql/deciding.py",
        "CASE WHEN {self.now} >= i.limit_at OR",
        "CASE WHEN {self.now} > i.limit_at OR",
        *_SENDS,
    ),
    _m(
        "sql/entries.py",
        "WHEN {bucket} < {group.share}",
        "WHEN {bucket} <= {group.share}",
        f"{AGREE}test_entries.py",
    ),
    # budgets
    _m("sql/allowances.py", "u.at > {now} -", "u.at >= {now} -", f"{AGREE}test_budgets.py"),
    _m("sql/allowances.py", "x.line <= c.line", "x.line < c.line", f"{AGREE}test_budgets.py"),
    _m(
        "sql/allowances.py",
        "u.amount + s.total > u.quota",
        "u.amount + s.total >= u.quota",
        f"{AGREE}test_budgets.py",
    ),
    # waits and races
    _m("sql/wakes.py", "w.wake_at <= {d.", "w.wake_at < {d.", f"{AGREE}test_ticks.py"),
    _m(
        "sql/wakes.py",
        """e."_at" <= w.wake_at""",
        """e."_at" < w.wake_at""",
        f"{AGREE}test_ticks.py",
    ),
    _m(
        "sql/wakes.py",
        """e."_at" > {arrived}""",
        """e."_at" >= {arrived}""",
        f"{AGREE}test_ticks.py",
    ),
    _m("sql/wakes.py", "{awake}{exited}", "{awake}", f"{AGREE}test_ticks.py"),
    _m(
        "sql/wakes.py",
        """run_id, "at", edge'""",
        """run_id, "at" DESC, edge'""",
        f"{AGREE}test_ticks.py",
    ),
    # entries
    _m(
        "sql/entries.py",
        "p.entered_at >= z.instant THEN 'reentry'",
        "FALSE THEN 'reentry'",
        f"{AGREE}test_entries.py",
    ),
    _m(
        "sql/entries.py",
        "WHEN r.nth > 1 THEN 'active'",
        "WHEN r.nth > 2 THEN 'active'",
        f"{AGREE}test_entries.py",
    ),
    _m(
        "runtime/schedules.py",
        "        if since < at <= until:",
        "        if since <= at <= until:",
        f"{AGREE}test_schedules.py",
    ),
    _m(
        "runtime/entries.py",
        "self.now >= runs.end",
        "self.now > runs.end",
        f"{AGREE}test_entries.py",
    ),
    # guards
    _m("sql/pauses.py", "g.ago > 0", "g.ago >= 0", "tests/runtime/test_flood.py"),
    _m("sql/pauses.py", "NOT fresh", "fresh", f"{AGREE}test_guards.py"),
    # who is asked
    _m(
        "sql/news.py",
        "AND r.ended_at >= {looked}",
        "AND r.ended_at > {looked}",
        f"{AGREE}test_news.py",
    ),
    _m(
        "sql/news.py",
        "AND p.at >= {looked}",
        "AND p.at > {looked}",
        f"{AGREE}test_news.py",
    ),
    # delivery
    _m(
        "delivery/statements.py",
        "WHERE b.lease_until > {now}",
        "WHERE TRUE",
        "tests/engines/test_slots.py",
    ),
    _m(
        "delivery/statements.py",
        "WHERE b.lease_until > {now}",
        "WHERE b.lease_until >= {now}",
        "tests/engines/test_slots.py",
    ),
    _m(
        "delivery/statements.py",
        "l.batch_id = b.batch_id AND l.token = b.token",
        "l.batch_id = b.batch_id",
        "tests/engines/test_slots.py",
    ),
    _m(
        "delivery/statements.py",
        "WHEN j.reason IS NOT NULL THEN 'cancelled'",
        "",
        "tests/delivery/test_outbox.py",
    ),
    _m(
        "delivery/statements.py",
        "x.state = 'submitting' AND x.attempt = g.attempt",
        "FALSE",
        "tests/engines/test_slots.py",
    ),
    # who is gone
    _m(
        "sql/gone.py",
        "w.status = {ACTIVE} AND EXISTS (SELECT 1 FROM {base} AS c)",
        "w.status = {ACTIVE}",
        f"{AGREE}test_gone.py",
    ),
    _m(
        "sql/wakes.py",
        "if left or any(plan.exits for plan in plans)",
        "if any(plan.exits for plan in plans)",
        f"{AGREE}test_gone.py",
    ),
    _m(
        "runtime/tick.py",
        "self.gone = news.counts != self.counts",
        "self.gone = news.counts is None",
        f"{AGREE}test_gone.py",
    ),
    _m(
        "runtime/tick.py",
        "self.gone = news.counts != self.counts",
        "self.gone = news.counts is not None",
        "tests/runtime/test_gone.py",
    ),
    _m("sql/gone.py", "{relation} {keys} ", "{relation} ", "tests/runtime/test_gone.py"),
    # what is learnt in versions side by side
    _m(
        "plan/build.py",
        "self.tried.setdefault(path, salt) == salt",
        "self.tried.get(path) == salt",
        f"{AGREE}test_learning.py",
    ),
    # keys
    _m("sql/aside.py", "NOT IN ({listed})", "IN ({listed})", f"{AGREE}test_aside.py"),
)
