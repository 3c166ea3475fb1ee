"""A plan as a reviewer reads it: in a terminal, in a pull request, or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from journeylang.deploy.plan import JourneyPlan, Line, Plan, Volume
from journeylang.plan.diff import Change

FORMAT_VERSION = 1

MARK = "<!-- journey plan: {} -->"
"""Stands first in the Markdown, so that a comment can be found and edited in place."""

Style = Callable[[str, str], str]
"""A text and what it is (`+`, `-`, `~`, `breaking`, `dim`), as it is to be shown."""


def plain(text: str, _: str) -> str:
    return text


def what(change: Change) -> str:
    """What changed, in few words: `wait 2d -> 3d`."""
    before, after = change.before, change.after
    if change.kind == "step" and change.sign == "-":
        return "removed"
    if before is not None and after is not None:
        return _both(before, after)
    if after is not None:
        return after
    return before if before is not None else ""


_SHORT = 44


def _both(before: str, after: str) -> str:
    """`wait 2d -> 3d`; of long texts the words that differ, with one on either side."""
    a, b = before.split(" "), after.split(" ")
    least = min(len(a), len(b)) - 1
    first = next((n for n in range(least) if a[n] != b[n]), least)
    words = f"{before} -> {' '.join(b[first:])}"
    if len(words) <= _SHORT:
        return words
    least -= first
    last = next((n for n in range(least) if a[-1 - n] != b[-1 - n]), least)
    was, is_ = a[first : len(a) - last], b[first : len(b) - last]
    begun = ["…", a[first - 1]] if first > 1 else a[:first]
    ended = [a[-last], "…"] if last > 1 else a[len(a) - last :]
    return " ".join([*begun, *was, "->", *is_, *ended])


def effect(line: Line) -> str:
    """What becomes of people by it."""
    if line.gains is not None:
        found = line.gains
        return f"+{found.gained:,} / -{found.lost:,} customers (now {found.now:,})"
    if not line.waiting:
        return ""
    waiting = f"{line.waiting:,} waiting"
    if line.fate is not None:
        return f"{waiting}: {line.fate}"
    if line.waits is None:
        return waiting
    counts = asdict(line.waits)
    parts = [f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n]
    return f"{waiting}: {', '.join(parts)}"


def name_of(line: Line) -> str:
    """`settle`, or `segment vip`."""
    change = line.change
    if change.kind in ("step", "journey") or change.kind == change.name:
        return change.name
    return f"{change.kind} {change.name}"


def volume(found: Volume) -> str:
    """`2,140 -> 1,730 messages, 0.86 -> 0.69 EUR`."""
    words = f"{found.before:,} -> {found.after:,} messages"
    if found.cost_before is not None and found.cost_after is not None and found.currency:
        words += f", {_money(found.cost_before)} -> {_money(found.cost_after)} {found.currency}"
    return words


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def summary(plan: Plan) -> str:
    """The last line: what changes, and for how many."""
    words = (("+", "added"), ("~", "changed"), ("-", "removed"))
    counts = [f"{plan.count(sign)} {word}" for sign, word in words if plan.count(sign)]  # type: ignore[arg-type]
    if not plan.counted:
        return f"{', '.join(counts)}."
    people = "1 person" if plan.affected == 1 else f"{plan.affected:,} people"
    return f"Plan: {', '.join(counts)}, {people} affected."


# --- in a terminal ------------------------------------------------------------------


def text(plan: Plan, width: int = 80, style: Style = plain) -> str:
    """Lines of at most `width`, as far as names allow."""
    if not plan.journeys:
        return "No changes: it means the same."
    lines: list[str] = []
    for journey in plan.journeys:
        lines += _head(journey, width, style)
        rows: list[tuple[str, str, str, str]] = [
            (one.change.sign, name_of(one), what(one.change), effect(one)) for one in journey.lines
        ]
        if journey.volume is not None:
            days = f"{journey.volume.days} days, {journey.volume.basis}"
            rows.append(("~", "volume", days, volume(journey.volume)))
        lines += _table(rows, width, style)
        lines.append("")
    lines.append(summary(plan))
    return "\n".join(lines)


def _head(journey: JourneyPlan, width: int, style: Style) -> Iterator[str]:
    versions = {"+": "new", "-": "deleted", "~": f"v{journey.before} -> v{journey.after}"}
    left = f"{journey.sign} {journey.name}  {versions[journey.sign]}"
    if journey.sign == "~":
        left += f"   upgrade {journey.upgrade}"
        if journey.before is None:
            left = f"~ {journey.name}"
    right = journey.category.upper() if journey.category == "breaking" else journey.category
    gap = " " * max(2, width - len(left) - len(right))
    kind = "breaking" if journey.category == "breaking" else "dim"
    yield f"{style(left, journey.sign)}{gap}{style(right, kind)}"


def _table(rows: list[tuple[str, str, str, str]], width: int, style: Style) -> Iterator[str]:
    """Signs, names, what changed, and its effect; what does not fit goes on below."""
    names = min(24, max((len(name) for _, name, _, _ in rows), default=0))
    short = [len(done) for _, name, done, end in rows if end and len(name) <= names]
    middle = max((n for n in short if n <= width // 3), default=0)
    for sign, name, done, end in rows:
        head = f"  {style(sign, sign)} {name:<{names}}"
        plain_head = f"  {sign} {name:<{names}}"
        first = f"{plain_head}  {done:<{middle}}"
        if not end:
            yield from _wrapped(head, plain_head, done, width)
        elif len(first) + 2 + len(end) <= width:
            yield f"{head}  {done:<{middle}}  {style(end, _tone(end))}"
        else:
            yield from _wrapped(head, plain_head, done, width)
            yield f"      {style(end, _tone(end))}"


def _wrapped(head: str, plain_head: str, done: str, width: int) -> Iterator[str]:
    import textwrap

    if not done:
        yield head.rstrip()
        return
    room = max(20, width - len(plain_head) - 2)
    first, *others = textwrap.wrap(done, room) or [""]
    yield f"{head}  {first}"
    for other in others:
        yield (
            f"{' ' * (len(plain_head) + 4)}{other}"
            if len(other) + 4 <= room
            else (f"{' ' * (len(plain_head) + 2)}{other}")
        )


def _tone(end: str) -> str:
    return "breaking" if "no target" in end else "plain"


# --- in a pull request ----------------------------------------------------------------


def markdown(plan: Plan, env: str) -> str:
    """One comment: a table per journey."""
    lines = [MARK.format(env), f"### `journey plan {env}`", ""]
    if not plan.journeys:
        return "\n".join([*lines, "No changes: it means the same.", ""])
    lines += [f"**{summary(plan)}**", ""]
    for journey in plan.journeys:
        category = journey.category
        grave = f"**{category.upper()}**" if category == "breaking" else category
        (head,) = _head(journey, 0, lambda words, kind: words if kind in "+-~" else "")
        lines += [f"#### `{head.strip()}` {grave}", ""]
        if journey.lines or journey.volume is not None:
            lines += ["| | what | change | people |", "|---|---|---|---|"]
        for line in journey.lines:
            cells = (name_of(line), what(line.change), effect(line))
            lines.append(f"| {line.change.sign} | " + " | ".join(map(_cell, cells)) + " |")
        if journey.volume is not None:
            found = journey.volume
            lines.append(f"| ~ | volume | {found.days} days, {found.basis} | {volume(found)} |")
        if lines[-1]:
            lines.append("")
    return "\n".join(lines)


def _cell(words: str) -> str:
    """Text in a cell of a table, in which nothing has a meaning of its own."""
    if not words:
        return ""
    escaped = words.replace("|", "\\|").replace("`", "ˋ").replace("\n", " ")
    return f"`{escaped}`"


# --- for programs ---------------------------------------------------------------------


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON; a published schema says what its fields are."""
    return {
        "format_version": FORMAT_VERSION,
        "changes": bool(plan.journeys),
        "affected": plan.affected,
        "summary": summary(plan) if plan.journeys else None,
        "journeys": [_journey_json(journey) for journey in plan.journeys],
        "refused": [asdict(one) for one in plan.refused],
    }


def _journey_json(journey: JourneyPlan) -> dict[str, Any]:
    found = journey.volume
    return {
        "sign": journey.sign,
        "journey": journey.name,
        "before": journey.before,
        "after": journey.after,
        "upgrade": journey.upgrade,
        "category": journey.category,
        "changes": [
            {
                "sign": line.change.sign,
                "category": line.change.category,
                "kind": line.change.kind,
                "name": line.change.name,
                "path": line.change.path,
                "before": line.change.before,
                "after": line.change.after,
                "waiting": line.waiting,
                "fate": line.fate,
                "waits": None if line.waits is None else asdict(line.waits),
                "segment": None if line.gains is None else asdict(line.gains),
            }
            for line in journey.lines
        ],
        "volume": None
        if found is None
        else {
            "days": found.days,
            "basis": found.basis,
            "messages_before": found.before,
            "messages_after": found.after,
            "cost_before": None if found.cost_before is None else str(found.cost_before),
            "cost_after": None if found.cost_after is None else str(found.cost_after),
            "currency": found.currency,
        },
    }
