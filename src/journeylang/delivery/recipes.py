"""Writing one message: from a row of the database to what a provider takes.

Nothing here knows of plans and projects: it is all that a process that writes has to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from journeylang.classes import dataclass
from journeylang.delivery.compose import Letterhead, compose
from journeylang.delivery.links import Links
from journeylang.delivery.provider import Outgoing
from journeylang.delivery.render import Broken, Failed, For, Renderer
from journeylang.delivery.values import Given, from_json, given_from_json, plain
from journeylang.model.types import INSTANT, Type

if TYPE_CHECKING:
    from journeylang.model.journey import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the messages of one send over one channel are written: all that another process needs.

    `zone_else` is where those live whose zone is unknown.
    """

    journey: str
    path: str
    purpose: Purpose
    channel: str
    template: str
    zone_else: str
    customer: Mapping[str, Type]
    profile: Mapping[str, Type]
    entry: Mapping[str, Type]
    given: Mapping[str, Given]
    uses_entry_at: bool


_NOTHING: Mapping[str, Any] = {}


class Row(NamedTuple):
    """What `Statements.contents` reads for a message; `fields` by the customer's field,
    `profile` by name.

    `known`: the customer is in the base.
    """

    number: int
    public_id: str
    known: bool
    address: str | None
    zone: str
    locale: str
    entered_at: datetime | None
    entry: str | None
    content: str | None
    fields: Mapping[str, Any]
    profile: Mapping[str, Any]

    @classmethod
    def read(
        cls, row: tuple[Any, ...], fields: tuple[str, ...], profile: tuple[str, ...] = ()
    ) -> Row:
        """A row of `Statements.contents`."""
        number, public_id, known, address, zone, locale, entered_at, entry, content = row[:9]
        return cls(
            number,
            public_id,
            known,
            address,
            zone or "",
            locale or "",
            entered_at,
            entry,
            content,
            dict(zip(fields, row[9:])),  # noqa: B905 - behind the fields are those of the profile
            dict(zip(profile, row[9 + len(fields) :], strict=True)) if profile else _NOTHING,
        )


def write(
    renderer: Renderer,
    recipe: Recipe,
    letterhead: Letterhead,
    row: Row,
    links: Links,
    now: datetime,
) -> Outgoing | Failed | Broken | None:
    """The finished message; None if the address is none. `row.address` is known."""
    assert row.address is not None, "a message without an address is set aside before"
    entry = from_json(row.entry, recipe.entry, "entry.") if recipe.entry else {}
    if recipe.uses_entry_at:
        entry["at"] = plain(row.entered_at, INSTANT, "entry.at")
    scope: dict[str, object] = {
        "customer": {
            name: plain(row.fields[name], type_, f"customer.{name}")
            for name, type_ in recipe.customer.items()
        },
        "entry": entry,
        "profile": {
            name: plain(row.profile[name], type_, f"profile.{name}")
            for name, type_ in recipe.profile.items()
        },
        "journey": recipe.journey,
        "step": recipe.path,
        **given_from_json(row.content, recipe.given),
    }
    what = For(row.public_id, scope, row.locale, row.zone or recipe.zone_else, row.number)
    rendered = renderer.render(recipe.template, recipe.channel, what, links)
    if isinstance(rendered, Failed | Broken):
        return rendered
    return compose(
        rendered,
        id=row.public_id,
        channel=recipe.channel,
        to=row.address,
        at=now,
        purpose=recipe.purpose,
        letterhead=letterhead,
        links=links,
        file=f"{recipe.template}.{recipe.channel}",
    )
