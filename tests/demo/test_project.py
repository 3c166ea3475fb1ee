"""The demo's own project: it is what a reader copies from, so it has to be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from journeylang import resources
from journeylang.delivery.formats import Money
from journeylang.delivery.links import Links
from journeylang.delivery.render import For, Rendered, Renderer
from journeylang.demo.answers import ANSWERS, GLOBAL_SALT, GLOBAL_SHARE
from journeylang.model.journey import Block, Experiment, If, Race, Send, Step
from journeylang.model.project import Project

TEMPLATES = {
    path.relative_to(resources.journeys() / "templates").as_posix(): path.read_text("utf-8")
    for path in sorted((resources.journeys() / "templates").rglob("*.*"))
}
EMAILS = [name for name in TEMPLATES if name.endswith(".email.html")]


def steps(block: Block) -> Iterator[Step]:
    for step in block:
        yield step
        match step:
            case Experiment():
                for arm in step.arms:
                    yield from steps(arm.body)
            case Race():
                for branch in step.branches:
                    yield from steps(branch.body)
                yield from steps(step.timeout)
            case If():
                yield from steps(step.then)
                yield from steps(step.otherwise)
            case _:
                pass


def test_five_journeys_with_a_hold_out_a_goal_and_an_owner(project: Project) -> None:
    assert sorted(project.journeys) == [
        "cart",
        "post_purchase",
        "replenishment",
        "welcome",
        "winback",
    ]
    for journey in project.journeys.values():
        assert journey.title
        assert journey.owner
        assert journey.holdout
        assert journey.goals


def test_it_shows_what_the_language_has(project: Project) -> None:
    found = [step for j in project.journeys.values() for step in steps(j.body)]
    sends = [step for step in found if isinstance(step, Send)]
    assert any(len(send.candidates) > 1 for send in sends)
    assert {c.channel for send in sends for c in send.candidates} == {"email", "push", "sms"}
    assert {type(step).__name__ for step in found} == {
        *("Wait", "Race", "Send", "If", "Experiment", "Leave"),
    }
    for experiment in (step for step in found if isinstance(step, Experiment)):
        assert [arm.control for arm in experiment.arms].count(True) == 1
        assert experiment.expect


def test_people_answer_by_the_journeys_own_buckets(project: Project) -> None:
    control = project.policies["standard"].control
    assert control is not None
    assert (control.salt, control.share) == (GLOBAL_SALT, GLOBAL_SHARE)
    for answer in ANSWERS:
        journey = project.journeys[answer.journey]
        assert journey.holdout is not None
        assert (journey.holdout.salt, journey.holdout.share) == (
            answer.holdout_salt,
            answer.holdout,
        )
        experiments = [step for step in steps(journey.body) if isinstance(step, Experiment)]
        assert [e.salt for e in experiments] == ([answer.arm_salt] if answer.arm_salt else [])
        for experiment in experiments:
            assert [(arm.low, arm.high) for arm in experiment.arms] == [(0, 5000), (5000, 10000)]
            assert experiment.arms[0].control


def test_every_template_is_used_and_every_send_has_one(project: Project) -> None:
    wanted = {
        f"{candidate.template}.{candidate.channel}."
        + ("html" if candidate.channel == "email" else "txt")
        for journey in project.journeys.values()
        for step in steps(journey.body)
        if isinstance(step, Send)
        for candidate in step.candidates
    }
    assert wanted == set(TEMPLATES)


def scope(*, known: bool) -> dict[str, object]:
    """What a template is given; of what may be unknown nothing unless `known`."""
    total = Money.of(Decimal("39.70"), "EUR")
    always = {"entry": {"product": "Morning Filter", "total": total}, "opening": "named"}
    customer: dict[str, object] = {"loyalty_points": 1234}
    if not known:
        return {**always, "customer": customer}
    return {**always, "customer": customer | {"first_name": "Zoë"}, "coffee": "Kenya Nyeri"}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_render(name: str, known: bool) -> None:
    template, channel, _ = name.rsplit(".", 2)
    for opening in ("plain", "named"):
        rendered = Renderer(TEMPLATES).render(
            template,
            channel,
            For(message="m1", scope=scope(known=known) | {"opening": opening}, locale="de-DE"),
            Links(key=b"k" * 32),
        )
        assert isinstance(rendered, Rendered), rendered
        shown = rendered.subject + rendered.text + (rendered.html or "")
        assert not re.search(r"\{\{|\}\}|\{%|None|Undefined", shown)
        assert rendered.subject or channel == "sms"
        assert len(rendered.subject) <= 70
        if not known:
            assert "Zoë" not in shown


@pytest.mark.parametrize("name", EMAILS)
def test_every_email_has_a_way_out_and_an_address(name: str) -> None:
    text = TEMPLATES[name]
    assert '<a href="{{ unsubscribe_url }}">' in text
    assert "Acme Coffee GmbH, Hauptstr. 1, 10115 Berlin" in text
    assert "preheader:" in text
    assert '<html lang="en">' in text


@pytest.mark.parametrize("name", [n for n in TEMPLATES if n.endswith(".sms.txt")])
def test_text_messages_fit_into_one_part(name: str) -> None:
    template, channel, _ = name.rsplit(".", 2)
    longest = scope(known=True) | {
        "entry": {"product": "Dark Harbour Espresso", "total": Money.of(Decimal("239.70"), "EUR")}
    }
    rendered = Renderer(TEMPLATES).render(
        template, channel, For(message="m1", scope=longest, locale="de-DE"), Links(key=b"k" * 32)
    )
    assert isinstance(rendered, Rendered)
    assert rendered.text.isascii()
    assert len(rendered.text.strip()) <= 160
    assert "STOP" in rendered.text
