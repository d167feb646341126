"""The package's structure, read from its imports: rooms, the arrows between them, floors, circles.

A room is a package with all that lies in it, or a module that stands alone; a package with packages inside has rooms of
its own. Every import counts, also one inside of a function and one for type checkers: a reader who wants to
understand a file follows them all.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from tools.project import ROOT, layers_of

PACKAGE = "xsession"


@dataclass(frozen=True, slots=True)
class Import:
    """One import of one name.

    Args:
        importer: The module that imports.
        module: The module or package that it imports from.
        name: What it takes from there; None: the module itself.
        line: Where.
        only_types: Whether only type checkers see it.
    """

    importer: str
    module: str
    name: str | None
    line: int
    only_types: bool


class Structure:
    """The package as it stands in a checkout, or a package in it that has rooms of its own.

    Args:
        root: The checkout.
        house: The package whose rooms are looked at.
    """

    def __init__(self, root: Path = ROOT, house: str = PACKAGE) -> None:
        self.root = root
        self.house = house
        paths = sorted([*(root / PACKAGE).rglob("*.py"), *(root / PACKAGE).rglob("*.pyi")])
        self.modules: Mapping[str, Path] = {self._dotted(path): path for path in paths}
        self.packages = {module for module, path in self.modules.items() if path.name == "__init__.py"}
        self.layers = layers_of(root)
        self._found: dict[str, list[Import]] = {}

    def room(self, module: str) -> str:
        """The room of a module: "refresh" for `xsession.refresh._cell`; "" for the house itself and what is outside."""
        start, _, inside = module.partition(f"{self.house}.")
        return "" if start else inside.partition(".")[0]

    @property
    def rooms(self) -> set[str]:
        """All rooms but the house's own `__init__`, which only hands names on."""
        return {self.room(module) for module in self.modules} - {""}

    @property
    def houses(self) -> set[str]:
        """The packages that have packages inside."""
        return {package.rpartition(".")[0] for package in self.packages} - {""}

    def package(self, module: str) -> str:
        """The package that a module lies in; a package lies in itself."""
        return module if module in self.packages else module.rpartition(".")[0]

    def imports(self, module: str) -> list[Import]:
        """What a module imports, of this package and of others."""
        if module not in self._found:
            path = self.modules[module]
            text = path.read_text(encoding="utf-8")
            parents = tuple(self.package(module).split("."))
            self._found[module] = imports_of(module, parents, text, only_types=path.suffix == ".pyi")
        return self._found[module]

    def own_imports(self) -> Iterator[Import]:
        """What the package's modules import from each other."""
        for module in self.modules:
            for found in self.imports(module):
                if found.module.partition(".")[0] == PACKAGE:
                    yield found

    def target(self, found: Import) -> str:
        """The module that an import leads to: a name of a package may be a module of it."""
        nested = f"{found.module}.{found.name}"
        return nested if nested in self.modules else found.module

    def arrows(self) -> dict[tuple[str, str], list[Import]]:
        """Which room imports which, and where."""
        found: dict[tuple[str, str], list[Import]] = {}
        for item in self.own_imports():
            ends = self.room(item.importer), self.room(self.target(item))
            if ends[0] != ends[1] and "" not in ends:
                found.setdefault(ends, []).append(item)
        return found

    def upward(self) -> list[str]:
        """Arrows from a layer to a higher one, as lines to print; what has no layer stands above all."""
        return sorted(
            f"{item.importer}:{item.line} imports {self.target(item)}"
            for (importer, imported), items in self.arrows().items()
            if self._layer(importer) < self._layer(imported)
            for item in items
        )

    def circles(self) -> list[list[str]]:
        """Rooms that import each other in a ring, one ring after the other."""
        arrows, found = set(self.arrows()), []
        while True:
            try:
                self._sorter(arrows).prepare()
            except CycleError as error:
                ring: list[str] = error.args[1]
                found.append(ring[::-1])
                arrows -= set(zip(ring[1:], ring, strict=False))
            else:
                return found

    def floors(self) -> int:
        """How many floors it has: a room stands above all that it imports."""
        broken = {pair for ring in self.circles() for pair in pairwise(ring)}
        sorter = self._sorter(set(self.arrows()) - broken)
        sorter.prepare()
        count = 0
        while sorter.is_active():
            sorter.done(*sorter.get_ready())
            count += 1
        return count

    def _sorter(self, arrows: set[tuple[str, str]]) -> TopologicalSorter[str]:
        sorter = TopologicalSorter[str](dict.fromkeys(sorted(self.rooms), ()))
        for importer, imported in sorted(arrows):
            sorter.add(importer, imported)
        return sorter

    def _layer(self, room: str) -> int:
        return next((number for number, layer in enumerate(self.layers) if room in layer), len(self.layers))

    def _dotted(self, path: Path) -> str:
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports_of(module: str, parents: tuple[str, ...], text: str, *, only_types: bool) -> list[Import]:
    """What a module imports; read once for all structures that have it as it is.

    Args:
        module: Its name.
        parents: The parts of its package's name, against which relative imports are resolved.
        text: Its code.
        only_types: Whether all of it is for type checkers alone.
    """
    return list(_imports(module, parents, ast.parse(text), only_types=only_types))


def _imports(module: str, parents: tuple[str, ...], node: ast.AST, *, only_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, alias.name, None, child.lineno, only_types)
        elif isinstance(child, ast.ImportFrom):
            base = parents[: len(parents) - child.level + 1] if child.level else ()
            origin = ".".join([*base, *([child.module] if child.module else [])])
            for alias in child.names:
                yield Import(module, origin, alias.name, child.lineno, only_types)
        elif isinstance(child, ast.If) and _is_for_type_checkers(child.test):
            for part, types in ((child.body, True), (child.orelse, only_types)):
                yield from _imports(module, parents, ast.Module(part, []), only_types=types)
        elif not isinstance(child, ast.expr):  # no import stands in an expression
            yield from _imports(module, parents, child, only_types=only_types)


def _is_for_type_checkers(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute) and ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def main() -> None:
    """Print the figures of this checkout, or of the one that is named, and whatever is not as it should be."""
    structure = Structure(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
    upward = structure.upward()
    circles = [ring for house in sorted(structure.houses) for ring in Structure(structure.root, house).circles()]
    print(f"rooms {len(structure.rooms)}, floors {structure.floors()}, arrows {len(structure.arrows())}", end="")
    print(f", upward imports {len(upward)}, circles {len(circles)}")
    for line in upward:
        print(f"upward: {line}")
    for ring in circles:
        print(f"circle: {' -> '.join(ring)}")


if __name__ == "__main__":
    main()
