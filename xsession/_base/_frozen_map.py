"""A mapping that can be a field of a frozen value: hashable and picklable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

V_co = TypeVar("V_co", covariant=True)


class FrozenMap(Mapping[str, V_co]):
    """An immutable mapping with string keys; equal to any mapping with the same items.

    Args:
        items: A mapping or pairs; copied.
    """

    # It is in the pickle of most public values, which must survive a move of this module.
    __module__ = "xsession._base"
    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, V_co] | Iterable[tuple[str, V_co]] = ()) -> None:
        self._items: dict[str, V_co] = dict(items)

    def __getitem__(self, key: str) -> V_co:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenMap, (self._items,)
