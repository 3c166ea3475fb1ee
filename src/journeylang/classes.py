"""`dataclass` as the standard library has it, made in a fifth of the time.

The standard library writes and compiles six methods of every class, and a signature for one
without a docstring, when the class is made. Behind a verb there are five hundred classes, most
of which are never made an instance of: half of the time until a verb begins. Here fields are
the standard library's, and a method is compiled when it is called for the first time. `fields`,
`replace`, `asdict`, `match`, pickling and copying know no difference. There is no `InitVar`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    __all__ = ["dataclass"]
else:
    from reprlib import recursive_repr

    _FIELDS = "__dataclass_fields__"
    _OWN = {"__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"}
    _OWN |= {"__getstate__", "__setstate__"}
    _MISSING = dataclasses.MISSING
    _LEFT_OUT = object()
    """Stands for a value that its factory has to make."""
    _set = object.__setattr__

    def dataclass(cls=None, /, **options):
        """As `dataclasses.dataclass`; what has a base or a method of its own is left to that."""

        def made(cls):
            lean = options.get("slots") and options.keys() <= {"frozen", "slots", "kw_only"}
            based = any(hasattr(base, _FIELDS) for base in cls.__bases__)
            if not lean or based or not _OWN.isdisjoint(cls.__dict__):
                return dataclasses.dataclass(**options)(cls)
            return _lean(
                cls, frozen=options.get("frozen", False), kw_only=options.get("kw_only", False)
            )

        return made if cls is None else made(cls)

    def _lean(cls, *, frozen, kw_only):
        undocumented = cls.__doc__ is None
        if undocumented:
            # Else its signature would be worked out and written there.
            cls.__doc__ = cls.__name__
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
        names = tuple(each.name for each in dataclasses.fields(cls))
        space = dict(cls.__dict__)
        for name in (*names, "__dict__", "__weakref__"):
            space.pop(name, None)
        if undocumented:
            space["__doc__"] = None
        space["__slots__"] = names
        space |= _FROZEN if frozen else _PLAIN
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made.__qualname__ = cls.__qualname__
        return made

    def _owner(self):
        """The class whose methods are to be made: the only one of its kind, as it has no base.

        Its method may be there already: another thread was quicker, and made the same one.
        """
        return next(cls for cls in type(self).__mro__ if cls.__dict__.get(_PARAMETERS) in _SHARED)

    def _init(self, /, *values, **named):
        cls = _owner(self)
        cls.__init__ = made = _written_init(cls)
        made(self, *values, **named)

    def _written_init(cls):
        """The constructor: a plain assignment for each field, whatever may not be assigned."""
        frozen = cls.__dataclass_params__.frozen
        known = {"_set": _set, "_left_out": _LEFT_OUT}
        positional, named, body = [], [], []
        for each in dataclasses.fields(cls):
            value = each.name
            if each.default is not _MISSING:
                known[f"_default_{value}"] = each.default
                parameter = f"{value}=_default_{value}"
            elif each.default_factory is not _MISSING:
                known[f"_factory_{value}"] = each.default_factory
                parameter = f"{value}=_left_out"
                value = f"_factory_{value}() if {value} is _left_out else {value}"
            else:
                parameter = value
            if each.init:
                (named if each.kw_only else positional).append(parameter)
            elif each.default is not _MISSING:
                value = f"_default_{each.name}"
            elif each.default_factory is not _MISSING:
                value = f"_factory_{each.name}()"
            else:
                continue
            name = each.name
            body.append(f'_set(self, "{name}", {value})' if frozen else f"self.{name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        star = ["*"] if named else []
        head = ", ".join(["self", *positional, *star, *named])
        lines = "\n ".join(body or ["pass"])
        return _written(f"def __init__({head}):\n {lines}", cls, **known)

    def _values(cls, of, which):
        """What makes one instance equal to another, or gives its hash: a tuple of values."""
        return "(" + "".join(f"{of}.{f.name}, " for f in dataclasses.fields(cls) if which(f)) + ")"

    def _eq(self, other):
        cls = _owner(self)
        ours, theirs = (_values(cls, of, lambda f: f.compare) for of in ("self", "other"))
        same = "other.__class__ is self.__class__"
        cls.__eq__ = made = _written(
            f"def __eq__(self, other):\n return {ours} == {theirs} if {same} else NotImplemented",
            cls,
        )
        return made(self, other)

    def _hash(self):
        cls = _owner(self)
        values = _values(cls, "self", lambda f: f.compare if f.hash is None else f.hash)
        cls.__hash__ = made = _written(f"def __hash__(self):\n return hash({values})", cls)
        return made(self)

    def _written(text, cls, **known):
        """The one function in a text that holds names of fields alone."""
        exec(text, known)  # noqa: S102
        made = known[text[4 : text.index("(")]]
        made.__qualname__ = f"{cls.__qualname__}.{made.__name__}"
        return made

    @recursive_repr()
    def _repr(self):
        shown = (each for each in dataclasses.fields(self) if each.repr)
        values = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in shown)
        return f"{type(self).__qualname__}({values})"

    def _may_not_set(_self, name, _value):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _may_not_delete(_self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def _state(self):
        return [getattr(self, each.name) for each in dataclasses.fields(self)]

    def _restore(self, state):
        for each, value in zip(dataclasses.fields(self), state, strict=True):
            _set(self, each.name, value)

    @dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
    class _LikeFrozen:
        pass

    @dataclasses.dataclass(slots=True)
    class _LikePlain:
        pass

    _PARAMETERS = "__dataclass_params__"
    _SHARED = tuple(getattr(like, _PARAMETERS) for like in (_LikePlain, _LikeFrozen))
    _PLAIN = {
        "__init__": _init,
        "__repr__": _repr,
        "__eq__": _eq,
        "__hash__": None,
        _PARAMETERS: _SHARED[0],
    }
    _FROZEN = _PLAIN | {
        "__hash__": _hash,
        "__setattr__": _may_not_set,
        "__delattr__": _may_not_delete,
        "__getstate__": _state,
        "__setstate__": _restore,
        _PARAMETERS: _SHARED[1],
    }
