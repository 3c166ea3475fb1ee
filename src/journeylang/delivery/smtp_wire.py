"""One connection over which mail is handed over, once a client has made it and logged in.

Commands may go together where the server takes them so (RFC 2920): their answers come in order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from journeylang.delivery.deadline import Deadline

_ANSWER = re.compile(rb"([2-5][0-9][0-9])([ -]?)([^\r\n]*)\r?")
_LONGEST_ANSWER = 65_536


class Said(NamedTuple):
    """An answer of the server's; of several lines the texts are joined by line ends."""

    code: int
    text: str


class LostError(OSError):
    """The connection was lost, or what came was no answer."""


class SmtpWire(asyncio.Protocol):
    """Takes over the transport that a client has brought up; one caller at a time."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool, utf8: bool) -> None:
        self.pipelining = pipelining
        self.utf8 = utf8
        self._transport = transport
        self._lost = False
        self._buffer = b""
        self._lines: list[str] = []
        self._said: list[Said] = []
        self._wanted = 0
        self._rest: Sequence[bytes] = ()
        self._seconds = 0.0
        self._answer: asyncio.Future[list[Said]] | None = None
        self._deadline = Deadline(self._late)
        transport.set_protocol(self)

    @property
    def alive(self) -> bool:
        return not self._lost and not self._transport.is_closing()

    async def ask(self, *commands: bytes, seconds: float) -> list[Said]:
        """The answers; fewer, but one at least, if the connection ends behind them.

        Where commands do not go together each is sent when the one before is answered well, and
        has its own time; the first answer that says no is the last.

        Raises:
            LostError: it ended before the first.
            TimeoutError: they took longer.
        """
        if not self.alive:
            raise LostError("the connection was lost")
        self._answer = asyncio.get_running_loop().create_future()
        self._seconds = seconds
        if self.pipelining or len(commands) == 1:
            self._said, self._wanted, self._rest = [], len(commands), ()
            self._transport.write(b"".join(commands))
        else:
            self._said, self._wanted, self._rest = [], 1, commands[1:]
            self._transport.write(commands[0])
        self._deadline.begin(seconds)
        try:
            return await self._answer
        except BaseException:
            # What is half read is of no use to the next command.
            self._lost = True
            raise
        finally:
            self._answer = None
            self._deadline.end()

    def drop(self) -> None:
        """Hang up at once: a polite end of TLS would wait for the other side's."""
        self._lost = True
        self._deadline.close()
        self._transport.abort()

    # -- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if self._answer is None or self._answer.done() or len(self._buffer) > _LONGEST_ANSWER:
            # Nobody asked: whatever it is, the next answer would be taken for this one.
            self._end()
            return
        for line in lines:
            found = _read(line)
            if found is None or len(self._said) == self._wanted:
                self._end()
                return
            said, more = found
            if more:
                self._lines.append(said.text)
                if len(self._lines) > 100:
                    self._end()
                    return
            elif self._lines:
                self._said.append(Said(said.code, "\n".join((*self._lines, said.text))))
                self._lines = []
            else:
                self._said.append(said)
        if len(self._said) < self._wanted:
            return
        if self._rest and self._said[-1].code // 100 in (2, 3):
            command, *self._rest = self._rest
            self._wanted += 1
            self._transport.write(command)
            self._deadline.begin(self._seconds)
        else:
            self._answer.set_result(self._said)

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _late(self) -> None:
        self._lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(TimeoutError("no answer in time"))

    def _end(self) -> None:
        self._lost = True
        if self._answer is not None and not self._answer.done():
            if self._said:
                self._answer.set_result(self._said)
            else:
                self._answer.set_exception(LostError("the connection was lost"))


@lru_cache(maxsize=256)
def _read(line: bytes) -> tuple[Said, bool] | None:
    """A line of an answer, and whether more follow; nearly all are the same ones."""
    found = _ANSWER.fullmatch(line)
    if found is None:
        return None
    return Said(int(found[1]), found[3].strip().decode("utf-8", "replace")), found[2] == b"-"
