"""One delivery: claim, write, let out, record.

Per claim, what has not ended yet is read and goes out in chunks:

1. the chunk is written (rendered); nothing is recorded yet;
2. one statement checks consent, suppression, exit and expiry once more and writes
   `submitting` for whoever passes; commit;
3. the provider gets the chunk;
4. its answers become receipts; commit.

Where others are in a transaction's way, or the connection is lost in it, it is done once more.
A crash before 2 leaves the messages queued, one between 3 and 4 leaves them `submitting`:
in doubt. The next claim sends those again where the provider knows the message by its id,
and elsewhere calls them `unknown`. Time comes from the caller.
"""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any, assert_never

from journeylang.classes import dataclass
from journeylang.delivery.channels import Channel
from journeylang.delivery.chunks import LARGEST, Begun, Mail, Open, calls, contents, weight
from journeylang.delivery.claimed import Claimed, claim
from journeylang.delivery.claimed import room as room_for
from journeylang.delivery.failures import Failures
from journeylang.delivery.firmly import firmly
from journeylang.delivery.judging import Judging
from journeylang.delivery.order import DeliverySummary, Order
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.parts import charge_parts
from journeylang.delivery.ramp import room, tomorrow
from journeylang.delivery.receipts import Receipts
from journeylang.delivery.render import Broken, Failed
from journeylang.delivery.statements import OpenMessage, pause
from journeylang.delivery.turns import AHEAD, at_once, turn
from journeylang.delivery.writing import CallDraft, Draft
from journeylang.engines.base import ConflictError, StatementError
from journeylang.model import text_message
from journeylang.runtime.gone import held_back
from journeylang.runtime.pauses import paused
from journeylang.runtime.session import TRIES
from journeylang.sql.schema import CALLS

_PROCESS = uuid.uuid4().hex

_SUPPRESSED = ("cancelled", "suppressed")

_SUPPRESSED_BY = {"invalid_recipient": "hard_bounce", "opted_out": "unsubscribe"}
"""Refusals that say something of the address, and the reason that is kept."""

UNKNOWN = 2000
"""So many at most go together as long as nobody knows how large they are."""

LOOK = timedelta(seconds=10)
"""What stands still is looked at so often while a claim goes out, and before each."""

PROBLEMS = 20
"""So many failed messages are told one by one."""


@dataclass(slots=True, kw_only=True)
class Coming:
    """A claim, and what of it is known: the messages that may go out by channel, and chunks that
    are being written of the first one."""

    claimed: Claimed
    ready: deque[tuple[Channel, list[Open]]] | None = None
    begun: deque[Begun] = field(default_factory=deque)


class Delivery:
    """One call of `Outbox.deliver`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.engine = order.engine
        self.sql = order.statements
        self.channels = order.channels
        # Of a process that is gone, another one frees the batches; its own it leaves alone.
        self.holder = f"{os.getpid()}-{_PROCESS}"
        self.summary = DeliverySummary()
        self.opened: set[str] = set()
        self.paused: set[str] = set(order.paused)
        self.weights: dict[str, int] = {}
        self.room = room_for(self.sql.exclusive, 0, 0.0)
        self.coming: Coming | None = None
        self.looked = order.now()
        self.held = False
        self.failures = Failures(order.engine, order.statements)
        self.judging = Judging(order, self.summary)

    def run(self) -> DeliverySummary:
        """Claim and send until nothing is left that may go out."""
        try:
            self._run()
        finally:
            self._give_back()
        self.judging.look(last=True)
        return self.summary

    def _run(self) -> None:
        seen: set[int] = set()
        tries = 0
        alone = self.sql.exclusive
        while not self._enough():
            before, accepted = self.summary.handled, self.summary.accepted
            try:
                coming, self.coming = self.coming, None
                if coming is None:
                    coming = self._claim()
                claimed = coming.claimed
                if not claimed.tokens:
                    break
                begun = monotonic()
                self._work(coming)
                # Those that were cancelled took no time, and say nothing of others.
                sent = self.summary.accepted - accepted
                self.room = room_for(alone, sent, monotonic() - begun)
            except ConflictError:
                tries += 1
                if tries == TRIES:
                    raise
                self.order.recover()
                continue
            tries = 0
            if self.summary.handled == before and claimed.tokens.keys() <= seen:
                # Another worker takes them away each time: let it have them.
                break
            seen |= claimed.tokens.keys()
            if claimed.all_free:
                break
            if self.summary.stopped and self.channels.keys() <= self.summary.stopped.keys():
                break

    def _enough(self) -> bool:
        order = self.order
        if order.limit is not None and self.summary.handled >= order.limit:
            return True
        return order.until is not None and order.now() >= order.until

    # -- a claim's messages

    def _claim(self) -> Coming:
        return Coming(claimed=claim(self.order, self.holder, self.summary, self.room))

    def _work(self, coming: Coming) -> None:
        claimed = coming.claimed
        try:
            self._send(coming)
        except BaseException as error:
            # Interrupted: nobody need wait for the lease to end.
            if isinstance(error, ConflictError):
                self.order.recover()
            self._abandon(claimed)
            raise
        self.summary.waiting += claimed.left
        firmly(self.order, lambda _: self.engine.execute(self.sql.release, claimed.release()))
        earliest = claimed.earliest()
        if earliest is not None:
            known = self.summary.next_at
            self.summary.next_at = earliest if known is None else min(known, earliest)

    def _abandon(self, claimed: Claimed) -> None:
        with suppress(StatementError), self.engine.transaction():
            self.engine.execute(self.sql.release, claimed.abandon())

    def _give_back(self) -> None:
        """What was claimed ahead, and is not sent after all."""
        coming, self.coming = self.coming, None
        if coming is not None:
            self._abandon(coming.claimed)

    def _send(self, coming: Coming) -> None:
        claimed = coming.claimed
        if coming.ready is None:
            coming.ready = self._sorted(claimed)
        ready = coming.ready
        while ready:
            channel, mine = ready.popleft()
            mine = self._within_ramp(channel, mine, claimed)
            begun, coming.begun = coming.begun, deque()
            self._through(channel, deque(mine), begun, claimed, last=not ready)

    def _sorted(self, claimed: Claimed) -> deque[tuple[Channel, list[Open]]]:
        """The messages that may go out now, by channel."""
        self._look()
        ready = self._ready(claimed)
        return deque(
            (self.channels[name], [one for one in ready if one.channel == name])
            for name in dict.fromkeys(one.channel for one in ready)
        )

    def _look_again(self) -> None:
        if self.order.now() - self.looked >= LOOK:
            self._look()

    def _look(self) -> None:
        """At what is paused, and whether the customers are being loaded."""
        self.looked = self.order.now()
        self.held = held_back(self.engine) is not None
        self.paused.update(one.journey for one in paused(self.engine))
        self.judging.look()

    def _look_ahead(self, claimed: Claimed) -> None:
        """Claim what comes next, and have the first of it written, while the last of this claim
        is on its way: else nobody would write meanwhile."""
        # How many a ramp leaves is known when all receipts are there.
        ramps = any(channel.ramp is not None for channel in self.channels.values())
        if ramps or claimed.all_free or self.summary.stopped or self._enough():
            return
        coming = self._claim()
        if not coming.claimed.tokens:
            return
        self.coming = coming
        coming.ready = self._sorted(coming.claimed)
        if coming.ready and self._open_channel(coming.ready[0][0]):
            channel, mine = coming.ready[0]
            size = self._size(channel)
            coming.begun.append(self._begin(channel, mine[:size]))
            del mine[:size]

    def _size(self, channel: Channel) -> int:
        """How many messages are handed over together: large ones are fewer."""
        most = channel.provider.in_flight
        if self.order.limit is not None:
            most = min(most, max(self.order.limit - self.summary.handled, 1))
        most = min(most, at_once(channel) or most)
        known = self.weights.get(channel.name)
        return min(most, UNKNOWN if known is None else max(LARGEST // known, 1))

    def _through(
        self,
        channel: Channel,
        mine: deque[Open],
        begun: deque[Begun],
        claimed: Claimed,
        *,
        last: bool,
    ) -> None:
        """Chunk by chunk; the next ones are being written while one is on its way, and behind the
        `last` of a claim the first one of the next claim."""
        ahead = self.order.scribes.ahead if self.order.limit is None else 0
        while mine or begun:
            while mine and len(begun) <= ahead:
                chunk = [mine.popleft() for _ in range(min(self._size(channel), len(mine)))]
                if self._enough():
                    for one in chunk:
                        claimed.keep(one.batch)
                elif not self._open_channel(channel):
                    for one in chunk:
                        claimed.pause(one.batch)
                else:
                    begun.append(self._begin(channel, chunk))
            if not begun:
                continue
            if last and ahead and not mine and len(begun) <= ahead:
                last = False
                self._look_ahead(claimed)
            first = begun.popleft()
            if self._enough():
                for one in first.chunk:
                    claimed.keep(one.batch)
            elif not self._open_channel(channel):
                for one in first.chunk:
                    claimed.pause(one.batch)
            elif self._held():
                for one in first.chunk:
                    claimed.keep(one.batch)
            else:
                self._chunk(channel, first, claimed)

    def _held(self) -> bool:
        """Whoever is missing while the customers are being loaded would have theirs cancelled."""
        self._look_again()
        return self.held

    def _within_ramp(self, channel: Channel, mine: list[Open], claimed: Claimed) -> list[Open]:
        """Those that a channel that is being warmed up may send today; the others wait."""
        if channel.ramp is None:
            return mine
        now = self.order.now()
        allowed = room(self.engine, self.sql, channel.name, channel.ramp, now)
        oldest = sorted(mine, key=lambda one: one.message)
        for one in oldest[allowed:]:
            claimed.until(one.batch, min(tomorrow(now), one.expires_at))
        return sorted(oldest[:allowed], key=_turn)

    def _ready(self, claimed: Claimed) -> list[Open]:
        """The messages that may go out now; of the others `claimed` is told until when not."""
        now = claimed.now
        ready: list[Open] = []
        removed = Receipts(provider=None)
        new = [batch for batch, token in claimed.tokens.items() if token == 1]
        old = [batch for batch, token in claimed.tokens.items() if token > 1]
        rows = self.engine.query(self.sql.open_messages, {"batches": old}) if old else []
        if new:
            rows += self.engine.query(self.sql.new_messages, {"batches": new})
        drafts: dict[tuple[int, str], Draft | CallDraft] = {}
        for row in map(OpenMessage._make, rows):
            if row.state == "unknown" and not self._tries_again(row):
                continue
            if row.quiet_from is not None or row.state is not None:
                wait = min(row.waits_until(now), row.expires_at)
                if wait > now:
                    claimed.until(row.batch, wait)
                    continue
            at = row.step, row.channel
            known = drafts.get(at)
            if known is not None:
                ready.append(_open(row, known))
                continue
            draft = self.order.writer.draft(*at)
            if draft is None and self._may_be_known(row.journey):
                claimed.pause(row.batch)
            elif draft is None:
                removed.add(
                    row.message,
                    row.attempt + 1,
                    "cancelled",
                    detail="no such step",
                    back=row.doubts == 0,
                )
            elif isinstance(draft, Broken):
                name = self.order.journeys.get(row.journey, str(row.journey))
                self.summary.to_pause.setdefault(name, f"template {draft.detail}")
                claimed.pause(row.batch)
            elif self._stands_still(draft, row.channel):
                claimed.pause(row.batch)
            else:
                drafts[at] = draft
                ready.append(_open(row, draft))
        if removed:
            self.summary.cancelled += len(removed)
            firmly(self.order, lambda again: self._receipts(removed, now, again=again))
        # Those that a provider fails at each time stand before others only by chance: five of them
        # in a row, and nobody behind them is asked.
        ready.sort(key=_turn)
        return ready

    def _may_be_known(self, journey: int) -> bool:
        """Whether a step that is not in this program may be in one: nothing is lost by waiting."""
        order = self.order
        return order.beside or (bool(order.paused) and journey not in order.journeys)

    def _tries_again(self, row: OpenMessage) -> bool:
        known = self.channels.get(row.channel)
        return known is not None and known.on_unknown == "retry" and row.doubts == 1

    def _stands_still(self, draft: Draft | CallDraft, channel: str) -> bool:
        journey = draft.plan.name
        if journey in self.paused or journey in self.summary.to_pause:
            return True
        # What people have to be told goes out all the same.
        if channel in self.summary.still and draft.plan.purpose != "transactional":
            return True
        return channel not in self.channels or channel in self.summary.stopped

    # -- a chunk

    def _begin(self, channel: Channel, chunk: list[Open]) -> Begun:
        """Read what a chunk is made of, and have it written."""
        if channel.name.startswith(CALLS):
            return Begun(chunk=chunk, contents=None, job=None)
        found = contents(self.engine, self.sql, channel.name, chunk)
        page = found.page(chunk, self.order.styles[channel.name], self.order.now())
        return Begun(chunk=chunk, contents=found, job=self.order.scribes.begin(page))

    def _chunk(self, channel: Channel, begun: Begun, claimed: Claimed) -> None:
        before = self.summary.handled
        outgoing, ended = self._write(channel, begun, claimed)
        if outgoing:
            self.weights[channel.name] = weight(outgoing)
        outgoing = self._by_now(self._in_turn(channel, outgoing, claimed), claimed)
        sent = self._let_out(channel, outgoing, ended, claimed)
        answers: dict[str, Answer] = {}
        try:
            if sent:
                channel.provider.send([mail.outgoing for mail in sent], answers)
        finally:
            # What was answered before an interruption is recorded all the same.
            self._record(channel, sent, answers, claimed)
        if self.order.progress is not None:
            self.order.progress(self.summary.handled - before)

    def _open_channel(self, channel: Channel) -> bool:
        """Before anything is marked as in flight: is there somebody to hand it to?"""
        if channel.name in self.summary.stopped:
            return False
        if channel.name not in self.opened:
            refusal = channel.provider.open()
            if refusal is not None:
                self.summary.stopped[channel.name] = refusal
                return False
            self.opened.add(channel.name)
        return True

    def _write(
        self, channel: Channel, begun: Begun, claimed: Claimed
    ) -> tuple[list[Mail], Receipts]:
        """What can go out, and receipts of what cannot."""
        if begun.job is None or begun.contents is None:
            return self._calls(channel, begun.chunk)
        now, rows = self.order.now(), begun.contents.rows
        results = iter(begun.job.result())
        mails: list[Mail] = []
        ended = Receipts(provider=channel.provider.name)
        self.failures.begin_chunk()
        for one in begun.chunk:
            assert isinstance(one.draft, Draft)
            _, _, known, address = rows[one.message][:4]
            written, hashed = next(results) if known and address is not None else (None, "")
            plan = one.draft.plan
            if plan.name in self.summary.to_pause:
                claimed.pause(one.batch)
            elif not known:
                self._gone(one, ended)
            elif address is None:
                self._fail(ended, one, "no_address")
            elif written is None:
                self._fail(ended, one, "invalid_recipient: no e-mail address")
            elif isinstance(written, Broken):
                self.summary.to_pause.setdefault(plan.name, f"template {written.detail}")
                claimed.pause(one.batch)
            else:
                self.failures.tried[plan.journey] += 1
                if isinstance(written, Failed):
                    self._fail(ended, one, f"template {written.detail}")
                    why = self.failures.fails(plan.journey, now)
                    if why is not None:
                        self.summary.to_pause[plan.name] = f"{why}; the last: {written.detail}"
                else:
                    mails.append(Mail(of=one, outgoing=written, address_hash=hashed))
        return mails, ended

    def _calls(self, channel: Channel, chunk: list[Open]) -> tuple[list[Mail], Receipts]:
        """The same of calls: nothing is rendered, and they go to no address."""
        made = calls(self.engine, self.sql, chunk, self.order.now())
        ended = Receipts(provider=channel.provider.name)
        for one in chunk:
            if one.message not in made:
                self._gone(one, ended)
        there = [(one, made[one.message]) for one in chunk if one.message in made]
        return [Mail(of=one, outgoing=call, address_hash="") for one, call in there], ended

    def _gone(self, one: Open, ended: Receipts) -> None:
        self.summary.cancelled += 1
        ended.add(one.message, one.attempt, "cancelled", detail="gone", back=one.doubts == 0)

    def _fail(self, ended: Receipts, one: Open, detail: str) -> None:
        self.summary.failed += 1
        ended.add(one.message, one.attempt, "failed", detail=detail, back=one.doubts == 0)
        if len(self.summary.problems) < PROBLEMS:
            self.summary.problems.append(
                f"{one.draft.plan.name}/{one.draft.park.path} ({one.channel}): {detail}"
            )

    def _in_turn(self, channel: Channel, mails: list[Mail], claimed: Claimed) -> list[Mail]:
        """Wait for the channel's turn, which others may have; if that is far off, they wait."""
        wait = turn(self.engine, channel, len(mails))
        if wait is None:
            for mail in mails:
                claimed.until(mail.of.batch, claimed.now + timedelta(seconds=AHEAD))
            return []
        if wait > 0:
            sleep(wait)
        return mails

    def _by_now(self, mails: list[Mail], claimed: Claimed) -> list[Mail]:
        """Those that may go out still: at a slow rate a claim takes its time, in which quiet
        windows begin and journeys are paused."""
        self._look_again()
        now = self.order.now()
        rests = bool(self.paused or self.summary.still)
        stays: list[Mail] = []
        for mail in mails:
            one = mail.of
            ends = min(one.quiet_until or now, one.expires_at)
            if one.quiet_from is not None and one.quiet_from <= now < ends:
                claimed.until(one.batch, ends)
            elif rests and self._stands_still(one.draft, one.channel):
                claimed.pause(one.batch)
            else:
                stays.append(mail)
        return stays

    def _let_out(
        self, channel: Channel, mails: list[Mail], ended: Receipts, claimed: Claimed
    ) -> list[Mail]:
        """Take the slots of those who may still go out; nothing has left before the commit."""
        now = self.order.now()
        parameters = {
            "now": now,
            "ids": [mail.of.message for mail in mails],
            # By this name everybody who answers knows the message.
            "names": [mail.outgoing.id for mail in mails],
            "attempts": [mail.of.attempt for mail in mails],
            "hashes": [mail.address_hash for mail in mails],
            "doubts": [mail.of.doubts for mail in mails],
            "provider": channel.provider.name,
            **claimed.held(),
        }
        states: dict[int, tuple[str, str | None]] = {}

        retried = False
        renewed: dict[str, Any] | None = None
        if claimed.lease_until - now < self.order.lease / 2:
            claimed.lease_until = now + self.order.lease
            renewed = claimed.held() | {"lease_until": claimed.lease_until}

        def take(again: bool) -> None:
            nonlocal retried
            retried = again
            states.clear()
            if renewed is not None:
                # First of all: it may have run out, and nobody else have taken over.
                self.engine.execute(self.sql.renew, renewed)
            if mails:
                for message, state, detail in self.engine.query(
                    self.sql.slots(channel.name), parameters
                ):
                    states[message] = state, detail
                if channel.name == text_message.CHANNEL:
                    charge_parts(self.engine, [m for m in mails if _goes(states, m)])
                barred = [m for m in mails if states.get(m.of.message) == _SUPPRESSED]
                if barred:
                    whose = {
                        "now": now,
                        "ids": [mail.of.message for mail in barred],
                        "hashes": [mail.address_hash for mail in barred],
                    }
                    self.engine.execute(self.sql.suppress_too, whose)
            if ended:
                self._receipts(ended, now, again=again)

        firmly(self.order, take)
        sent = []
        for mail in mails:
            match states.get(mail.of.message):
                case ("submitting", _):
                    sent.append(mail)
                case ("expired", _):
                    self.summary.expired += 1
                case ("cancelled", _):
                    self.summary.cancelled += 1
                case _ if retried:
                    # Or the first try was committed after all: the next claim finds out.
                    claimed.keep(mail.of.batch)
                case _:
                    pass  # another one has it: the lease was lost, or it was cancelled
        return sent

    def _record(
        self,
        channel: Channel,
        sent: list[Mail],
        answers: Mapping[str, Answer],
        claimed: Claimed,
    ) -> None:
        """The provider's answers as receipts."""
        now = self.order.now()
        receipts = Receipts(provider=channel.provider.name)
        gone: list[tuple[Mail, str]] = []
        taken: list[tuple[Open, str]] = []
        for mail in sent:
            answer = answers.get(mail.outgoing.id)
            if type(answer) is Accepted and answer.cost is None:
                taken.append((mail.of, answer.provider_id))
            elif answer is not None:
                self._answered(channel, mail, answer, receipts, claimed)
                if isinstance(answer, Refused) and answer.kind in _SUPPRESSED_BY:
                    gone.append((mail, _SUPPRESSED_BY[answer.kind]))
        receipts.take(taken)
        self.summary.accepted += len(taken)
        if not receipts:
            return

        def keep(again: bool) -> None:
            self._receipts(receipts, now, again=again)
            if gone:
                self.engine.execute(
                    self.sql.suppress,
                    {
                        "now": now,
                        "ids": [mail.of.message for mail, _ in gone],
                        "hashes": [mail.address_hash for mail, _ in gone],
                        "reasons": [reason for _, reason in gone],
                    },
                )

        firmly(self.order, keep)
        if any(reason == "hard_bounce" for _, reason in gone):
            self.judging.refused = True

    def _receipts(self, receipts: Receipts, now: datetime, *, again: bool) -> None:
        statement = self.sql.receipts_once if again else self.sql.receipts
        self.engine.execute(statement, receipts.parameters(now))

    def _answered(
        self, channel: Channel, mail: Mail, answer: Answer, receipts: Receipts, claimed: Claimed
    ) -> None:
        one = mail.of
        summary = self.summary
        match answer:
            case Accepted():
                summary.accepted += 1
                summary.pay(answer.cost)
                receipts.add(one.message, one.attempt, "accepted", provider_id=answer.provider_id)
            case Refused() if not answer.of_channel:
                self._fail(receipts, one, f"{answer.kind}: {answer.detail}")
            case Refused() | TryLater():
                if answer.of_channel:
                    summary.stopped.setdefault(channel.name, answer)
                summary.put_off += 1
                receipts.add(one.message, one.attempt, "retry", detail=answer.detail)
                after = answer.after if isinstance(answer, TryLater) else None
                self._again(one, claimed, after or 0)
            case Unknown():
                summary.unknown += 1
                receipts.add(one.message, one.attempt, "unknown", detail=answer.detail)
                if channel.on_unknown == "retry" and one.doubts == 0:
                    self._again(one, claimed, 0)
            case _:
                assert_never(answer)

    def _again(self, one: Open, claimed: Claimed, seconds: int) -> None:
        wait = max(pause(one.attempt), seconds)
        claimed.until(one.batch, min(claimed.now + timedelta(seconds=wait), one.expires_at))


def _turn(one: Open) -> tuple[bool, int]:
    """The new ones as they were decided, then the others in an order that each attempt mixes."""
    again = one.attempt > 1
    return again, hash((one.attempt, one.message)) if again else 0


def _goes(states: Mapping[int, tuple[str, str | None]], mail: Mail) -> bool:
    return states.get(mail.of.message, ("", None))[0] == "submitting"


def _open(row: OpenMessage, draft: Draft | CallDraft) -> Open:
    return Open(
        row.message,
        row.batch,
        row.channel,
        row.expires_at,
        row.attempt + 1,
        row.doubts,
        draft,
        row.quiet_from,
        row.quiet_until,
    )
