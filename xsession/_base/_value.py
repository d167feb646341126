"""The decorator of values: frozen, slotted dataclasses that cost little until they are used.

`@dataclass(frozen=True, slots=True)` writes and compiles six methods for each class, 0.4 ms of the import of every
program that uses us; `@frozen` takes 0.05 ms. It writes the same methods, but each only when it is needed for the first
time, which for most of them is never.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform, overload

from ._frames import hides_frames
from .lazy import public

T = TypeVar("T")

# What makes `dataclass` write a method; `__init__` is ours, since `dataclass` writes two more that go with it.
_WRITTEN_FOR: dict[str, dict[str, bool]] = {
    "__repr__": {"repr": True},
    "__eq__": {"eq": True},
    "__hash__": {"unsafe_hash": True},
}
_NOTHING = {"init": False, "repr": False, "eq": False}


class _Made:
    """The default of a field that has a factory."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Made()


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = False, hides: type[BaseException] | None = None) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T] | None = None, /, *, kw_only: bool = False, hides: type[BaseException] | None = None) -> Any:
    """Makes a class what `dataclass(frozen=True, slots=True)` makes of it, but its methods late.

    Methods that the class has itself stay. A dataclass that inherits from a value is to be `@frozen` too; `InitVar` is
    not for values.

    Args:
        cls: The class.
        kw_only: Whether its fields are keyword arguments only.
        hides: The errors that leave `__init__` without its frame, since a field may be a secret; None: no errors.
    """

    def decorated(cls: type[T]) -> type[T]:
        made = dataclass(**_NOTHING, slots=True, kw_only=kw_only)(cls)
        methods = {**_SHARED, **{name: _Late(made, name, hides) for name in ("__init__", *_WRITTEN_FOR)}}
        for name, method in methods.items():
            # A class with an __eq__ of its own has None as __hash__.
            if cls.__dict__.get(name) is None:
                setattr(made, name, method)
        return public(made)

    return decorated if cls is None else decorated(cls)


class _Late:
    """Stands in for a method until it is looked up, then puts the method there.

    Threads that do so at once each have one written; all are alike.

    Args:
        cls: The class.
        name: The method's name.
        hides: The errors that leave `__init__` without its frame.
    """

    def __init__(self, cls: type[Any], name: str, hides: type[BaseException] | None) -> None:
        self._cls = cls
        self._name = name
        self._hides = hides if name == "__init__" else None
        # Where the names in annotations are found: the class's `__module__` is its face, where they are not.
        self._module = cls.__module__

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        write = _initializer if self._name == "__init__" else _written
        method = write(self._cls, self._name, self._module)
        if self._hides is not None:
            method = hides_frames(self._hides)(method)
        setattr(self._cls, self._name, method)
        return method.__get__(instance, owner)


def _initializer(cls: type[Any], name: str, module: str) -> Any:
    """The `__init__` of a class, as `dataclass` writes it."""
    taken = [item for item in fields(cls) if item.init]
    first, named = ([item for item in taken if item.kw_only is kw_only] for kw_only in (False, True))
    parameters = ["self", *(item.name for item in first), *(("*",) if named else ()), *(item.name for item in named)]
    lines = [line for item in fields(cls) for line in _lines(item)]
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def _write(_set, _made, _fields):\n def {name}({', '.join(parameters)}):\n  "
    text += "\n  ".join(lines or ["pass"]) + f"\n return {name}"
    namespace: dict[str, Any] = {}
    exec(text, vars(sys.modules[module]), namespace)  # noqa: S102 # as `dataclass` does
    method = namespace["_write"](object.__setattr__, _MADE, {item.name: item for item in fields(cls)})
    method.__defaults__ = tuple(_default(item) for item in first if _has_default(item)) or None
    method.__kwdefaults__ = {item.name: _default(item) for item in named if _has_default(item)} or None
    method.__annotations__ = {**{item.name: item.type for item in taken}, "return": None}
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    return method


def _lines(item: Field[Any]) -> list[str]:
    """What `__init__` does with a field."""
    name, make = item.name, f"_fields[{item.name!r}].default_factory()"
    put = f"_set(self, {name!r}, {{}})"
    if item.init:
        return [*([f"if {name} is _made: {name} = {make}"] if _is_made(item) else ()), put.format(name)]
    if not _has_default(item):
        return []
    return [put.format(make if _is_made(item) else f"_fields[{name!r}].default")]


def _is_made(item: Field[Any]) -> bool:
    return item.default_factory is not MISSING


def _has_default(item: Field[Any]) -> bool:
    return _is_made(item) or item.default is not MISSING


def _default(item: Field[Any]) -> Any:
    return _MADE if _is_made(item) else item.default


def _written(cls: type[Any], name: str, module: str) -> Any:
    # `dataclass` writes methods for a class with the same fields, which is thrown away.
    members: dict[str, Any] = {item.name: item for item in fields(cls)}
    members["__annotations__"] = {item.name: item.type for item in fields(cls)}
    members["__module__"], members["__qualname__"] = module, cls.__qualname__
    members["__doc__"] = "Has one, since dataclass would write one from the signature, which takes long."
    if hasattr(cls, "__post_init__"):
        members["__post_init__"] = cls.__post_init__
    twin: type[Any] = dataclass(**{**_NOTHING, **_WRITTEN_FOR[name]}, slots=True)(type(cls.__name__, (), members))
    return vars(twin)[name]


def _set(self: Any, name: str, new: object) -> None:
    if _is_frozen(self, name):
        msg = f"cannot assign to field {name!r}"
        raise FrozenInstanceError(msg)
    object.__setattr__(self, name, new)


def _delete(self: Any, name: str) -> None:
    if _is_frozen(self, name):
        msg = f"cannot delete field {name!r}"
        raise FrozenInstanceError(msg)
    object.__delattr__(self, name)


def _is_frozen(self: Any, name: str) -> bool:
    # A subclass that is no value may have other attributes.
    return not hasattr(self, "__dict__") or name in {item.name for item in fields(self)}


def _state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    # Not by __setattr__, which refuses.
    for item, held in zip(fields(self), state, strict=True):
        object.__setattr__(self, item.name, held)


# What `dataclass` does not write again for each class, or need not.
_SHARED = {
    "__setattr__": _set,
    "__delattr__": _delete,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
