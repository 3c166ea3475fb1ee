"""What becomes of people on their way when another version is applied: cases written by hand."""

from __future__ import annotations

from tests.agreement.both import Both, Look, both
from tests.agreement.small import (
    DAY,
    HOUR,
    START,
    ends,
    enters,
    happens,
    journey,
    program,
    project,
    refusals,
    sent,
)

FIRST = program("w: wait 2d\nm: send email\nx: wait 1d\nn: send email")


def changed(steps: str, *headers: str, moves: str = "") -> str:
    text = program(steps, *headers)
    return f"{text}\n{moves}" if moves else text


def where(look: Look) -> list[tuple[str, object]]:
    """Step and wake time of those who are on their way."""
    return sorted((row[5], row[7]) for row in look["runs"] if row[4] == "active")


def daily(pair: Both, days: range) -> Look:
    return [pair.tick(NOW + day * DAY) for day in days][-1]


NOW = START + HOUR
ENTERED = NOW - HOUR / 60


def test_a_wait_has_another_length() -> None:
    with both(FIRST, START) as pair:
        enters(pair)
        assert pair.apply(FIRST.replace("wait 2d", "wait 5d"), NOW + HOUR)
        assert where(pair.tick(NOW + 2 * HOUR)) == [("w", ENTERED + 5 * DAY)]
        assert pair.apply(FIRST.replace("wait 2d", "wait 1h"), NOW + 3 * HOUR)
        assert where(pair.tick(NOW + 3 * HOUR)) == [("x", NOW + 3 * HOUR + DAY)]


def test_who_is_pinned_finishes_and_who_enters_goes_by_the_new_one() -> None:
    other = changed("y: wait 1h\nm: send sms\nz: wait 3d", "upgrade pin")
    with both(FIRST, START) as pair:
        enters(pair, mobile="+49")
        assert pair.apply(other, NOW + HOUR)
        look = pair.tick(NOW + 2 * HOUR)
        assert where(look) == [("w", ENTERED + 2 * DAY)]
        look = pair.tick(NOW + 4 * DAY)
        look = pair.tick(NOW + 6 * DAY)
        assert [(step, channel) for step, channel, _ in sent(look)] == [
            ("m", "email"),
            ("n", "email"),
        ]
        assert ends(look) == [("finished", "end")]


def test_a_later_version_takes_over_who_was_pinned() -> None:
    pinning = changed("v: wait 1h", "upgrade pin")
    with both(FIRST, START) as pair:
        enters(pair)
        assert pair.apply(pinning, NOW + HOUR)
        pair.tick(NOW + 2 * HOUR)
        assert not pair.apply(changed("v: wait 1h"), NOW + 2 * HOUR)
        moved = changed("v: wait 1h\nu: wait 3d", moves="moved in j: w -> u")
        assert pair.apply(moved, NOW + 2 * HOUR)
        assert where(pair.tick(NOW + 3 * HOUR)) == [("u", ENTERED + 3 * DAY)]


def test_drained() -> None:
    with both(FIRST, START) as pair:
        enters(pair)
        assert pair.apply(changed("w: wait 1h", "upgrade drain"), NOW + HOUR)
        happens(pair, "signed_up", NOW + 2 * HOUR, customer=1)
        pair.tick(NOW + 2 * HOUR)
        look = pair.tick(NOW + 3 * DAY)
        assert where(look) == [("x", NOW + 4 * DAY)]
        assert refusals(look) == []


def test_nobody_is_sent_the_same_twice() -> None:
    swapped = changed("x: wait 1d\nn: send email\nm: send email\nw: wait 2d")
    with both(FIRST, START) as pair:
        enters(pair)
        pair.tick(NOW + 2 * DAY)
        assert pair.apply(swapped, NOW + 2 * DAY)
        look = pair.tick(NOW + 3 * DAY)
        assert refusals(look) == ["repeated"]
        assert where(look) == [("w", NOW + 5 * DAY)]


def test_moved_out() -> None:
    with both(FIRST, START) as pair:
        enters(pair)
        assert not pair.apply(changed("m: send email"), NOW + HOUR)
        assert pair.apply(changed("m: send email", moves="moved in j: w -> exit"), NOW + HOUR)
        look = pair.tick(NOW + 2 * HOUR)
        assert ends(look) == [("exited", "moved")]


def test_who_is_held_stays_held_with_its_reason() -> None:
    """Pinned and taken over again: the hold goes on, and what it was for is not forgotten."""
    quiet = "quiet email 00:00 to 23:59"
    text = program("m: send email expires 2h\nw: wait 9d", policy=quiet)
    with both(text, START) as pair:
        enters(pair)
        other = program("m: send email expires 2h\nw: wait 8d", "upgrade pin", policy=quiet)
        assert pair.apply(other, NOW)
        pair.tick(NOW + HOUR / 2)
        assert pair.apply(text, NOW + HOUR / 2)
        look = pair.tick(NOW + 15 * HOUR)
        assert refusals(look) == ["quiet"]


def test_who_is_moved_into_a_loop_is_in_its_first_pass() -> None:
    loop = "l: repeat up to 2 times { p: wait 1d\nm: send email }\nn: wait 9d"
    with both(program("w: wait 2d"), START) as pair:
        enters(pair)
        assert pair.apply(changed(loop, moves="moved in j: w -> l/p"), NOW)
        look = daily(pair, range(1, 6))
        assert [row[-1] for row in sorted(look["messages"], key=lambda m: m[5])] == [1, 2]


def test_from_a_loop_into_another_one() -> None:
    first = "a: repeat up to 3 times { p: wait 1d\nm: send email }"
    second = "b: repeat up to 2 times { q: wait 1d\nk: send email }"
    with both(program(first), START) as pair:
        enters(pair)
        for days in (1, 2):
            pair.tick(NOW + days * DAY)
        assert pair.apply(changed(second, moves="moved in j: a/p -> b/q"), NOW + 2 * DAY)
        look = daily(pair, range(3, 8))
        assert len(sent(look)) == 4
        assert ends(look) == [("finished", "end")]


def test_a_start_in_a_loop_starts_each_time() -> None:
    """Also if another order of steps leads to it a second time within a pass."""
    loop = "l: repeat up to 3 times { w: wait 1d\ng: start k\nx: wait 1d }"
    other = "l: repeat up to 3 times { w: wait 1d\nx: wait 1d\ng: start k }"
    enter = "enter by start"

    def text(steps: str) -> str:
        return project(
            journey("j", steps), journey("k", 'y: send email "t"', "reenter always", enter=enter)
        )

    with both(text(loop), START) as pair:
        enters(pair)
        pair.tick(NOW + DAY)
        assert pair.apply(text(other), NOW + DAY + HOUR)
        look = daily(pair, range(2, 12))
        assert sum(row[1] == "k" for row in look["runs"]) == 4


def test_a_held_send_is_a_wait_now() -> None:
    quiet = "quiet email 00:00 to 23:59"
    with both(program("m: send email\nw: wait 9d", policy=quiet), START) as pair:
        enters(pair)
        assert pair.apply(program("m: wait 3d\nw: wait 9d", policy=quiet), NOW)
        assert where(pair.tick(NOW + HOUR)) == [("m", ENTERED + 3 * DAY)]
