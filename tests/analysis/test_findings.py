"""How much is told: everything once, in order, and nothing that follows from something else."""

import time

import pytest

from journeylang.analysis.check import check_files
from tests.analysis.project import BINDING, checked, tree


def test_the_order_of_files_does_not_matter() -> None:
    one = tree("segment a = exists(nothing) segment b = 5", "a.journey")
    two = tree("segment a = customer.points", "b.journey")
    base = tree(BINDING, "binding.journey")
    first = check_files([base, one, two])
    second = check_files([two, base, one])
    assert first == second
    assert [(d.span and d.span.path, d.code.id) for d in first.diagnostics] == [
        ("a.journey", "JRN101"),
        ("a.journey", "JRN102"),
        ("b.journey", "JRN110"),
    ]


def test_what_another_file_may_define_is_not_called_unknown() -> None:
    text = """
    segment a = exists(seen where page = "x") and in segment b and spend > 5 EUR
    journey j { owner "x" policy p enter on seen exit when exists(sent of k/hello) a: send fax }
    """
    assert {d.code.id for d in check_files([tree(text)]).diagnostics} == {"JRN101", "JRN112"}
    assert check_files([tree(text)], holes=["other.journey"]).diagnostics == ()


def test_what_is_wrong_is_left_out() -> None:
    project, diagnostics = checked(
        "segment bad = nothing > 5 segment good = customer.points > 5 and not in segment bad"
    )
    assert len(diagnostics) == 1
    assert list(project.segments) == ["good"]


def test_guesses() -> None:
    _, diagnostics = checked("segment a = exists(order_palced) segment b = customer.pionts > 5")
    assert [d.help for d in diagnostics] == [
        "did you mean `order_placed`?",
        "did you mean `points`?",
    ]


def test_a_literal_is_told_how_to_be_written() -> None:
    _, diagnostics = checked(
        """
        segment a = customer.spent > 100
        segment b = customer.points = "5"
        segment c = customer.birth_date > "2026-01-01"
        segment d = last(order_placed) > 2026-01-01
        segment e = customer.country = 5
        segment f = customer.points > 5 EUR
        """
    )
    assert [d.help for d in diagnostics] == [
        "write `100 EUR`",
        "write `5` without quotation marks",
        "write `2026-01-01` without quotation marks",
        "an instant has a time too: write `2026-01-01T00:00`",
        'a text is in quotation marks: write `"5"`',
        "write `5` without the currency",
    ]


def test_a_duplicate_points_to_the_first() -> None:
    _, diagnostics = checked("segment a = customer.points > 1\nsegment a = customer.points > 2")
    (found,) = diagnostics
    assert found.span is not None
    (label,) = found.labels
    assert (label.span.start, found.span.start) == (8, 40)


def test_a_cycle_shows_its_way() -> None:
    _, diagnostics = checked(
        "segment a = in segment b segment b = in segment c segment c = in segment a"
    )
    (found,) = diagnostics
    assert found.label == "a -> b -> c -> a"
    assert [label.message for label in found.labels] == ["needs `b`", "needs `c`", "needs `a`"]


MANY = 10_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"metric m{i} = m{i + 1} * 2" for i in range(MANY)) + f"\nmetric m{MANY} = 1",
        "\n".join(f"metric m{i} = m{(i + 1) % MANY} * 2" for i in range(MANY)),
        "\n".join(f"metric name{i:05} = 1\nsegment s{i} = nome{i:05} > 1" for i in range(MANY)),
        "\n".join("segment same = exists(order_placed)" for _ in range(MANY)),
        'journey j { owner "x" enter on signed_up '
        + "\n".join(f"l{i}: wait for opened of l{i}x up to 2d" for i in range(MANY))
        + "}",
        "segment a = " + " and ".join(["exists(order_placed)"] * MANY),
        'journey j { owner "x" enter on signed_up '
        + "if exists(order_placed) { exit } else " * MANY
        + "{ exit } }",
    ],
    ids=["chain", "circle", "slips", "duplicates", "labels", "and", "else-if"],
)
def test_ten_thousand_of_anything(text: str) -> None:
    files = [tree(BINDING, "binding.journey"), tree(text)]
    start = time.process_time()
    assert check_files(files).diagnostics
    assert time.process_time() - start < 5
