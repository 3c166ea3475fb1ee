"""Classes that are made quickly are what the standard library makes of the same text."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from journeylang import classes


def _both(**options: bool) -> tuple[type[Any], type[Any]]:
    """One text, made by either."""

    def of(decorator: Callable[..., Any]) -> type[Any]:
        @decorator(**options)
        class Parcel:
            weight: int
            tags: list[str] = field(default_factory=list)
            label: str = "plain"
            at: int = field(default=0, compare=False, repr=False)
            token: int = field(default=7, init=False)
            opened: list[int] = field(default_factory=list, init=False, compare=False)

            def __post_init__(self) -> None:
                self.opened.append(self.weight)

            @property
            def heavy(self) -> bool:
                return self.weight > 10

        Parcel.__module__ = __name__
        return Parcel

    return of(dataclasses.dataclass), of(classes.dataclass)


KINDS = pytest.mark.parametrize(
    "options",
    [
        {"frozen": True, "slots": True, "kw_only": True},
        {"frozen": True, "slots": True},
        {"slots": True, "kw_only": True},
        {"slots": True},
        {"frozen": True},
        {"frozen": True, "slots": True, "order": True},
        {"frozen": True, "slots": True, "kw_only": False},
    ],
)


@KINDS
def test_an_instance_is_the_same(options: dict[str, bool]) -> None:
    for made in _both(**options):
        one, same, other = made(weight=11), made(weight=11, at=5), made(weight=2, tags=["x"])
        assert one == same
        assert one != other
        assert one != "one"
        assert one != (11, [], "plain", 7)
        assert one.tags is not same.tags
        assert (one.token, one.opened, one.heavy, same.at) == (7, [11], True, 5)
        assert repr(one).endswith("Parcel(weight=11, tags=[], label='plain', token=7, opened=[11])")
        assert dataclasses.asdict(other)["tags"] == ["x"]
        assert dataclasses.replace(one, weight=3).weight == 3
        assert copy.deepcopy(other) == other
        assert other.__doc__ is None or "weight" in other.__doc__


@KINDS
def test_what_is_wrong_is_refused_alike(options: dict[str, bool]) -> None:
    theirs, ours = _both(**options)
    for made in (theirs, ours, ours):
        with pytest.raises(TypeError):
            made()
        with pytest.raises(TypeError):
            made(weight=1, colour=2)
        with pytest.raises(TypeError):
            made(1, [], "a", 0, 1)
    for made in (theirs, ours):
        one = made(weight=1)
        if options.get("frozen"):
            with pytest.raises(dataclasses.FrozenInstanceError):
                one.weight = 2
            with pytest.raises(dataclasses.FrozenInstanceError):
                del one.weight
        else:
            one.weight = 2
            assert one.weight == 2
            with pytest.raises(TypeError):
                hash(one)
        assert hasattr(one, "__dict__") is not options.get("slots", False)


@KINDS
def test_a_class_is_the_same(options: dict[str, bool]) -> None:
    theirs, ours = _both(**options)
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__name__ == theirs.__name__
    assert [f.name for f in dataclasses.fields(ours)] == [
        f.name for f in dataclasses.fields(theirs)
    ]
    positional = [not f.kw_only for f in dataclasses.fields(theirs)]
    assert [not f.kw_only for f in dataclasses.fields(ours)] == positional


@classes.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    inside: Place | None = None


@classes.dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Without a field."""


@classes.dataclass(frozen=True, slots=True, kw_only=True)
class Town(Place):
    people: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Village(Place):
    people: int = 0


def test_hash_pickle_and_match() -> None:
    place = Place(name="a", inside=Place(name="b"))
    assert {place, Place(name="a", inside=Place(name="b")), Place(name="a")} == {
        place,
        Place(name="a"),
    }
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 - its own bytes
    match place:
        case Place(name="a", inside=Place(name=inner)):
            assert inner == "b"
        case _:
            pytest.fail("no match")
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1
    assert repr(Nothing()) == "Nothing()"


@pytest.mark.parametrize("kind", [Town, Village])
def test_a_class_may_be_a_base(kind: type[Any]) -> None:
    town = kind(name="t", people=3)
    assert repr(town) == f"{kind.__name__}(name='t', inside=None, people=3)"
    assert town != Place(name="t")
    assert town == kind(name="t", people=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        town.name = "u"


def test_a_plain_subclass_is_made_by_the_method_of_its_base() -> None:
    class Sub(Nothing):
        pass

    class Hut(Place):
        pass

    assert Hut(name="h").name == "h"
    assert Hut(name="h") == Hut(name="h")
    assert hash(Hut(name="h")) == hash(Hut(name="h"))
    assert Sub() != Nothing()


def test_it_needs_no_brackets() -> None:
    @classes.dataclass
    class Bare:
        number: int

    assert Bare(3) == Bare(number=3)


def _own(decorator: Callable[..., Any]) -> list[object]:
    @decorator(frozen=True, slots=True)
    class Hashed:
        number: int

        def __hash__(self) -> int:
            return 7

    @decorator(frozen=True, slots=True)
    class Restored:
        number: int

        def __setstate__(self, state: list[int]) -> None:
            object.__setattr__(self, "number", state[0] + 1)

    kinds: tuple[type[Any], type[Any]] = Hashed, Restored
    return [hash(kinds[0](1)), copy.copy(kinds[1](1)).number]


def test_methods_of_its_own_are_kept() -> None:
    # Python 3.11.2 replaces a `__setstate__`, later ones keep it.
    assert _own(classes.dataclass) == _own(dataclasses.dataclass)
