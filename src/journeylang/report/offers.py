"""Codes: issued, redeemed, expired, what they cost and what came with them."""

from __future__ import annotations

from journeylang.model.binding import Event
from journeylang.model.expressions import BoundEvent
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Table, amount, count, share, text
from journeylang.sql.dialects import quote
from journeylang.sql.dialects import text as literal
from journeylang.sql.relations import event

_NOTE = (
    "Issued are codes drawn for messages, expired those whose time is over, redeemed or not."
    " Redeemed are rows that carry such a code, whoever used it; one that may be used again counts"
    " again. Cost is the promo's; revenue and goods are those of these rows, and the margin is what"
    " is left of them."
)


def offers(source: Source) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in sorted(source.project.binding.promos):
        issued, redeemed, expired, cost, revenue, goods = source.query(_statement(source, name))[0]
        known = _redeeming(source, name)
        if known is None:
            rows.append((name, issued, None, None, expired, *(None,) * 4))
            continue
        fields = {field.name for field in known.fields}
        spent = cost if "cost" in fields else None
        earned = revenue if _revenue(source, known) is not None else None
        goods_cost = goods if _goods(source, known) is not None else None
        margin = None if earned is None else earned - (goods_cost or 0) - (spent or 0)
        part = redeemed / issued if issued else None
        rows.append((name, issued, redeemed, part, expired, spent, earned, goods_cost, margin))
    return Table(
        name="offers",
        title="offers",
        columns=(
            text("promo"),
            count("issued"),
            count("redeemed"),
            share("share"),
            count("expired"),
            amount("cost"),
            amount("revenue"),
            amount("goods"),
            amount("margin"),
        ),
        rows=tuple(rows),
        notes=(_NOTE if rows else "No promo is bound.",),
    )


def _redeeming(source: Source, promo: str) -> Event | None:
    events = source.project.binding.events.values()
    return next((bound for bound in events if bound.redeems == promo), None)


def _revenue(source: Source, redeeming: Event) -> str | None:
    worth = source.project.worth
    return worth.revenue.name if worth and worth.revenue.event == redeeming.origin else None


def _goods(source: Source, redeeming: Event) -> str | None:
    goods = source.project.worth.goods if source.project.worth is not None else None
    return goods.name if goods is not None and goods.event == redeeming.origin else None


def _statement(source: Source, promo: str) -> str:
    """{now} -> (issued, redeemed, expired, cost, revenue, goods)."""
    now = source.dialect.parameter("now")
    issued = f"journey.promo_code AS k WHERE k.promo = {literal(promo)} AND k.at <= {now}"
    over = f"count(*) FILTER (WHERE k.expires_at <= {now})"
    known = _redeeming(source, promo)
    if known is None:
        return f"SELECT count(*), 0, {over}, 0, 0, 0 FROM {issued}"
    cost = "cost" if any(field.name == "cost" for field in known.fields) else None
    read = (cost, _revenue(source, known), _goods(source, known))
    names = tuple(dict.fromkeys(name for name in read if name is not None))
    rows = event(
        source.project.binding, BoundEvent(name=known.name, span=known.span), names, source.dialect
    )
    columns = "".join(f", e.{quote(name)}" for name in names)
    sums = ", ".join(
        "0" if name is None else f"(SELECT coalesce(sum(u.{quote(name)}), 0) FROM used AS u)"
        for name in read
    )
    return f"""WITH used AS (
  SELECT DISTINCT e."_key", e."_at"{columns} FROM {rows} AS e WHERE e."_at" <= {now}
)
SELECT count(*), (SELECT count(*) FROM used), {over}, {sums} FROM {issued}"""
