"""An attribute that is made when it is asked for the first time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class made_once(Generic[T]):  # noqa: N801 # a decorator, as functools.cached_property is
    """As `functools.cached_property`, but with no lock, which a fork could copy while it is held.

    Where several threads ask at once, each may make one, and all get the first. Code that must not make it looks into
    `vars(instance)`.

    Args:
        make: Makes the attribute's value of the instance.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Self | T:
        if instance is None:
            return self
        # setdefault is atomic; from here on the instance's own entry is found before this one.
        made: T = vars(instance).setdefault(self._name, self._make(instance))
        return made
