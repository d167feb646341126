"""Faces of packages: each name is imported when it is used for the first time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


def lazy(
    package: str, names: Mapping[str, tuple[str, ...]], modules: tuple[str, ...] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a package's `__init__`.

    Args:
        package: The package, its `__name__`.
        names: Its modules, each with the names that the package has from there. Those in its `__all__` are public;
            the others are for the other packages of this one.
        modules: Modules that are attributes of the package themselves.
    """
    module_of = {name: module for module, listed in names.items() for name in listed}
    namespace = vars(sys.modules[package])

    def get(name: str) -> object:
        if name in module_of:
            value = namespace[name] = getattr(import_module(f"{package}.{module_of[name]}"), name)
            return value
        if name in modules:
            return import_module(f"{package}.{name}")
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    def listed() -> list[str]:
        # Neither helpers that were used nor what `__init__` imports for itself.
        own = {name for name, value in namespace.items() if name.startswith("__") or _is_public_module(name, value)}
        return sorted({*own, *namespace["__all__"], *modules})

    return get, listed


def _is_public_module(name: str, value: object) -> bool:
    return isinstance(value, ModuleType) and not name.startswith("_")


class LazyModule:
    """Stands for a module of the package, which is imported when something of it is asked for.

    Args:
        name: The module.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self._name), name)


def lazy_modules(*names: str) -> Iterator[LazyModule]:
    """Modules of the package for annotations, which frameworks evaluate and few programs need.

    Args:
        names: Such as "grants".
    """
    return (LazyModule(f"xsession.{name}") for name in names)


def public(cls: C) -> C:
    """Gives a public class its package as `__module__`: pickles, logs and tracebacks survive a move inside of it.

    Public is what the package's `__all__` names; other classes stay as they are.
    """
    package = cls.__module__.partition("._")[0]
    face = sys.modules.get(package)
    if cls.__name__ in getattr(face, "__all__", ()):
        cls.__module__ = package
    return cls
