"""Fragments in place of their includes: paths, values, places, and bounds."""

import time
from decimal import Decimal

from journeylang.model.expressions import Comparison, Constant, MessageEvent
from journeylang.model.journey import Calendar, Elapsed, If, Race, Send, Wait
from tests.analysis.project import checked, project, tree

CHASE = """
fragment chase(template: template, gap: duration = 3d, floor: money(EUR) = 5 EUR) {
  pause: wait gap
  note: send email "{template}" with { floor: floor }
  answer: wait for opened of note up to 2d
  if customer.spent > floor { last: send email "care/{template}_last" }
}
"""
HEAD = 'owner "a@b.example" enter on signed_up '


def test_an_include_is_its_fragments_steps_under_its_label() -> None:
    found = project(
        CHASE + f"journey it {{ {HEAD} c: include chase("
        '"care/one", floor: -2 EUR, gap: 36h) d: include chase("care/two") }'
    )
    pause, note, answer, decide, *others = found.journeys["it"].body
    assert isinstance(pause, Wait)
    assert isinstance(note, Send)
    assert isinstance(answer, Race)
    assert isinstance(decide, If)
    assert isinstance(decide.condition, Comparison)
    assert (pause.path, pause.label, pause.until) == (
        "c/pause",
        "pause",
        Elapsed(seconds=36 * 3600),
    )
    assert (note.path, note.candidates[0].template) == ("c/note", "care/one")
    (_, floor) = note.values[0]
    assert isinstance(floor, Constant)
    assert floor.value == Decimal("-2.0000")
    assert answer.branches[0].event == MessageEvent(
        name="opened", journey="it", path="c/note", own=True, span=answer.span
    )
    last = decide.then[0]
    assert isinstance(last, Send)
    assert last.candidates[0].template == "care/care/one_last"
    again = others[0]
    assert isinstance(again, Wait)
    assert (again.path, again.until) == ("d/pause", Calendar(days=3))


def test_an_include_without_steps_or_arguments() -> None:
    found = project(f"fragment none {{ }} journey it {{ {HEAD} a: include none b: wait 1h }}")
    assert [step.path for step in found.journeys["it"].body if isinstance(step, Wait)] == ["b"]


def test_the_place_is_in_the_fragment_and_the_include_is_shown() -> None:
    text = (
        'fragment inner { if customer.cuontry = "DE" { } }\n'
        "fragment outer { x: include inner }\n"
        f"journey it {{ {HEAD} a: include outer }}\n"
        f"journey that {{ {HEAD} b: include outer }}\n"
    )
    _, (diagnostic,) = checked(text)
    assert diagnostic.span is not None
    assert text[diagnostic.span.start : diagnostic.span.end] == "cuontry"
    assert [text[label.span.start : label.span.end] for label in diagnostic.labels] == [
        "x: include inner",
        "a: include outer",
    ]
    assert {label.message for label in diagnostic.labels} == {"included here"}


def test_what_is_wrong_with_a_value_is_told_where_it_is_given() -> None:
    text = f'{CHASE} journey it {{ {HEAD} a: include chase("a b") }}'
    _, diagnostics = checked(text)
    assert {d.span and text[d.span.start : d.span.end] for d in diagnostics} == {'"a b"'}


def test_a_template_that_a_value_names_is_looked_for_at_the_value() -> None:
    text = f'{CHASE} journey it {{ {HEAD} a: include chase("care/one") }}'
    note = project(text).journeys["it"].body[1]
    assert isinstance(note, Send)
    span = note.candidates[0].span
    assert text[span.start : span.end] == '"care/one"'


def test_thousands_of_fragments_are_looked_at_in_seconds() -> None:
    chain = "\n".join(f"fragment f{n} {{ x: include f{n - 1} }}" for n in range(1, 3_000))
    bomb = "\n".join(
        f"fragment g{n} {{ " + " ".join(f"x{i}: include g{n - 1}" for i in range(10)) + " }"
        for n in range(1, 60)
    )
    many = "\n".join(f"journey j{n} {{ {HEAD} a: include g3 }}" for n in range(300))
    tree(chain)
    begin = time.process_time()
    _, diagnostics = checked(
        f"fragment f0 {{ }} {chain} fragment g0 {{ y: wait 1h }} {bomb} {many}"
    )
    assert time.process_time() - begin < 10
    found = {(d.code.id, d.message.rpartition("put in, ")[2]) for d in diagnostics}
    assert found == {
        ("JRN005", "blocks are nested more than 64 deep"),
        ("JRN212", "there are 10,560 steps"),
        ("JRN212", "there are 101,280 steps"),
    }
