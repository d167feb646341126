"""Values and errors whose own code fails, or never ends, whoever looks at them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn


class FailingMapping(Mapping[str, Any]):
    """Whatever is asked of it fails."""

    def __getitem__(self, key: str) -> NoReturn:
        raise LookupError(key)

    def __iter__(self) -> NoReturn:
        raise ArithmeticError

    def __len__(self) -> NoReturn:
        raise ArithmeticError

    def values(self) -> NoReturn:
        """Fails."""
        raise ArithmeticError

    def __str__(self) -> NoReturn:
        raise ArithmeticError

    __repr__ = __str__


class EndlessList(list[Any]):
    """Has no end."""

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(self)

    def __len__(self) -> NoReturn:
        raise ArithmeticError


class Unbound:
    """As a proxy that stands for nothing: what class it is of can't be asked."""

    def _fail(self) -> NoReturn:
        raise RuntimeError

    __class__ = property(_fail)

    def __eq__(self, _other: object) -> NoReturn:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]  # as of all that have an __eq__ alone


class FailingDict(dict[str, Any]):
    """A dict by its type, with items of its own."""

    def values(self) -> NoReturn:
        """Fails."""
        raise ArithmeticError

    def items(self) -> NoReturn:
        """Fails."""
        raise ArithmeticError


class FailingError(Exception):
    """Its text, and what botocore's errors have, fail."""

    def __str__(self) -> str:
        raise ArithmeticError

    @property
    def response(self) -> NoReturn:
        """Fails."""
        raise ArithmeticError

    kwargs = 5


CYCLE: list[Any] = []
CYCLE.append({"again": CYCLE})

HOSTILE: dict[str, Any] = {
    "mapping": FailingMapping(),
    "mapping in a list": [FailingMapping()],
    "endless": EndlessList(),
    "endless in a mapping": {"a": EndlessList()},
    "unbound": Unbound(),
    "unbound in a list": [Unbound()],
    "mapping of another type": FailingDict(a=1),
    "cycle": CYCLE,
    "huge": 10**5_000,
    "not a number": float("nan"),
    "not a number as key": {float("nan"): 1},
    "surrogate": {"\ud800": {1: 2}},
}
"""JSON has no form for any of them."""
