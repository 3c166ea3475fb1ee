"""How the messages of a program are written: by send and channel."""

from __future__ import annotations

from collections.abc import Mapping

from journeylang.classes import dataclass
from journeylang.delivery.recipes import Recipe
from journeylang.delivery.render import Broken, Renderer
from journeylang.delivery.values import Given
from journeylang.model.entry import entry_fields
from journeylang.model.journey import Several, Value
from journeylang.model.project import Project
from journeylang.model.types import TEXT, Type
from journeylang.plan.operations import ActionPark, Call, JourneyPlan, Program, SendPark
from journeylang.sql.given import of_channel
from journeylang.sql.schema import CALLS

_RESERVED: dict[str, Type] = {"key": TEXT, "timezone": TEXT, "locale": TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A send over one channel, and how its messages are written."""

    plan: JourneyPlan
    park: SendPark
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDraft:
    """How the calls of one step are made."""

    plan: JourneyPlan
    park: ActionPark
    service: str
    given: Mapping[str, Given]


class Writer:
    """All sends of a program, by step and channel."""

    def __init__(self, program: Program, project: Project, renderer: Renderer) -> None:
        self.binding = project.binding
        self.profile = project.profile
        self.entries = {
            name: {n: t for e in j.earlier for n, t in e.fields} | dict(entry_fields(j.entry))
            for name, j in project.journeys.items()
        }
        self.renderer = renderer
        self._parks = {
            park.step: (plan, park)
            for plan in program.journeys
            for park in plan.parks
            if isinstance(park, SendPark)
        }
        self._calls = {
            (park.step, CALLS + park.act.service): CallDraft(
                plan=plan,
                park=park,
                service=park.act.service,
                given={name: _of_type(name, value) for name, value in park.act.values},
            )
            for plan in program.journeys
            for park in plan.parks
            if isinstance(park, ActionPark) and isinstance(park.act, Call)
        }
        self._drafts: dict[tuple[int, str], Draft | CallDraft | Broken | None] = {}

    def draft(self, step: int, channel: str) -> Draft | CallDraft | Broken | None:
        """None: the program has no such step (any more)."""
        key = (step, channel)
        if key not in self._drafts:
            self._drafts[key] = self._drafted(step, channel)
        return self._drafts[key]

    def _drafted(self, step: int, channel: str) -> Draft | CallDraft | Broken | None:
        if (step, channel) in self._calls:
            return self._calls[step, channel]
        plan, park = self._parks.get(step, (None, None))
        if plan is None or park is None:
            return None
        template = next((o.template for o in park.offers if o.channel == channel), None)
        if template is None:
            return None
        use = self.renderer.use(template, channel)
        if isinstance(use, Broken):
            return use
        entry = self.entries.get(plan.name) or dict(entry_fields(plan.entry))
        bound = self.binding.customers
        recipe = Recipe(
            journey=plan.name,
            path=park.path,
            purpose=plan.purpose,
            channel=channel,
            template=template,
            zone_else=bound.zone_else if bound is not None else "UTC",
            customer=self._customer_types(use.customer_fields),
            profile={
                used.name: self.profile[used.name]
                for used in use.profile
                if used.name in self.profile
            },
            entry={name: entry[name] for name in use.entry_fields if name in entry},
            given=self._given(park, channel),
            uses_entry_at="at" in use.entry_fields,
        )
        return Draft(plan=plan, park=park, recipe=recipe)

    def _given(self, park: SendPark, channel: str) -> dict[str, Given]:
        own = next((c.values for c in park.candidates if c.channel == channel), ())
        given = {name: _of_type(name, value) for name, value in park.values}
        given |= {name: _of_type(of_channel(channel, name), value) for name, value in own}
        given |= {p.name: Given(key=p.name, fields=self._row_types(p.catalog)) for p in park.picks}
        if park.code is not None:
            given[park.code.name] = Given(key=park.code.name)
        return given

    def _customer_types(self, names: tuple[str, ...]) -> dict[str, Type]:
        bound = self.binding.customers
        assert bound is not None, "checked: a project with journeys binds customers"
        types = _RESERVED | {field.name: field.type for field in bound.fields}
        return {name: types[name] for name in names if name in types}

    def _row_types(self, catalog: str) -> dict[str, Type]:
        fields = {f.name: f.type for f in self.binding.catalogs[catalog].fields}
        return {"key": TEXT, **fields}


def _of_type(key: str, value: Value) -> Given:
    return Given(key=key, type=value.type or TEXT, list=isinstance(value, Several))
