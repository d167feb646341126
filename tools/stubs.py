"""Stubs for type checkers, which the wheel has beside the code: what public types need, and nothing of how it works.

`python -m tools.stubs FOLDER` writes them. Without them, a checker reads all that the public modules import, and all of
the standard library that this imports: twice the time of a small program's check.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = "xsession"
ROOT = Path(__file__).resolve().parent.parent
_WITHOUT = {"cli", "__main__"}
"""Rooms that nobody imports from."""
_TRANSPARENT = {"hides_frames", "public", "wraps"}
"""Decorators that change no type."""
_FIELDS = {"frozen", "dataclass"}
_OPEN_BASES = {"Enum", "Flag", "IntEnum", "NamedTuple", "Protocol", "StrEnum", "TypedDict"}
"""Classes of these are what they are by all that they have, also by what is not public."""
_ELLIPSIS = ast.Constant(...)


class UntypedError(ValueError):
    """A public attribute whose type is nowhere said: a stub would not have it."""


class Module:
    """A module of the package, and the statements of a stub by the name that they bind.

    Args:
        name: Its dotted name.
        path: Its file.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.is_package = path.stem == "__init__"
        self.is_stub = path.suffix == ".pyi"
        self.exported: list[str] | None = None
        self.statements: dict[str, list[ast.stmt]] = {}
        self.untyped: dict[str, list[str]] = {}
        for node in _typed_branches(ast.parse(path.read_text(encoding="utf-8")).body):
            self._bind(node)

    @property
    def public_names(self) -> list[str]:
        """What users import from it; of a stub of ours, all."""
        if self.exported is not None and not self.is_stub:
            return self.exported
        made = [name for name, (first, *_) in self.statements.items() if not isinstance(first, ast.ImportFrom)]
        return list(self.statements) if self.is_stub else [name for name in made if not name.startswith("_")]

    def origin(self, name: str) -> tuple[str, str] | None:
        """The module that a name is imported from, and its name there; None: it is made here, or is a module."""
        node = self.statements[name][0]
        if not isinstance(node, ast.ImportFrom):
            return None
        parts = self.name.split(".")[: len(self.name.split(".")) - node.level + self.is_package] if node.level else []
        return ".".join([*parts, *([node.module] if node.module else [])]), node.names[0].name

    def needs(self, name: str) -> set[str]:
        """The names of this module that a name's statements use."""
        return {used for node in self.statements[name] for used in _names_in(node)} & self.statements.keys()

    def of_modules(self, name: str) -> Iterator[tuple[str, str]]:
        """What a name's statements use of modules that are imported whole, such as `grants.Grant`."""
        for part in (part for node in self.statements[name] for part in ast.walk(node)):
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id in self.statements
            ):
                origin = self.origin(part.value.id)
                if origin is not None:
                    yield ".".join(origin), part.attr

    def _bind(self, node: ast.stmt) -> None:
        match node:
            case ast.ImportFrom(module="__future__"):
                pass
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    one = ast.Import([alias])
                    if isinstance(node, ast.ImportFrom):
                        one = ast.ImportFrom(node.module, [alias], node.level)  # type: ignore[assignment]  # either
                    self.statements[alias.asname or alias.name.partition(".")[0]] = [one]
            case ast.Assign(targets=[ast.Name("__all__")], value=value):
                self.exported = ast.literal_eval(value)
            case ast.AnnAssign(target=ast.Name("__all__"), value=ast.expr() as value):
                self.exported = ast.literal_eval(value)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                _add(self.statements.setdefault(name, []), node)
            case ast.ClassDef(name=name):
                stub, self.untyped[name] = _class(node)
                self.statements[name] = [stub]
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                self.statements[name] = [_assignment(node)]
            case _:
                pass


class Modules:
    """The package's modules, each read when it is asked for.

    Args:
        root: The checkout.
    """

    def __init__(self, root: Path) -> None:
        self._paths: dict[str, Path] = {}
        for path in sorted([*(root / PACKAGE).rglob("*.py"), *(root / PACKAGE).rglob("*.pyi")]):
            parts = path.relative_to(root).with_suffix("").parts
            self._paths[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
        self._read: dict[str, Module] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def __getitem__(self, name: str) -> Module:
        if name not in self._read:
            self._read[name] = Module(name, self._paths[name])
        return self._read[name]

    def roots(self) -> Iterator[Module]:
        """Those that users import from, and the stubs that are there already."""
        for name, path in self._paths.items():
            parts = name.split(".")[1:]
            hidden = any(part.startswith("_") or part in _WITHOUT for part in parts)
            if path.suffix == ".pyi" or not hidden:
                yield self[name]


def stubs(root: Path = ROOT) -> dict[str, str]:
    """The stubs, by their paths from the checkout.

    Args:
        root: The checkout.

    Raises:
        UntypedError: A public class has an attribute whose type is nowhere said.
    """
    modules = Modules(root)
    needed, taken = _reached(modules)
    _check_typed(modules)
    made = {}
    for name, names in needed.items():
        module = modules[name]
        if not module.is_stub:
            path = "/".join([*name.split("."), *(["__init__"] if module.is_package else [])])
            made[f"{path}.pyi"] = _rendered(module, names, taken[name])
    return dict(sorted(made.items()))


def _reached(modules: Modules) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By module, the names that users and the stubs of other modules need; and those that others take from it."""
    needed: dict[str, set[str]] = {}
    taken: dict[str, set[str]] = {}
    waiting = [(root.name, name) for root in modules.roots() for name in root.public_names]
    while waiting:
        where, name = waiting.pop()
        module = modules[where]
        names = needed.setdefault(where, set())
        taken.setdefault(where, set())
        if name in names or name not in module.statements:
            continue
        names.add(name)
        waiting += [(where, used) for used in module.needs(name)]
        origin = module.origin(name)
        for home, used in (*module.of_modules(name), *([] if origin is None else [origin])):
            if home in modules:
                waiting.append((home, used))
                taken.setdefault(home, set()).add(used)
    return needed, taken


def _check_typed(modules: Modules) -> None:
    for public in modules.roots():
        for name in public.public_names:
            module, made = public, name
            while made in module.statements and (origin := module.origin(made)) and origin[0] in modules:
                module, made = modules[origin[0]], origin[1]
            for attribute in module.untyped.get(made, ()):
                msg = f"{module.name}: {made}.{attribute} needs an annotation, which its stub would have"
                raise UntypedError(msg)


def _rendered(module: Module, names: set[str], taken: set[str]) -> str:
    lines = ["# Generated by tools/stubs.py.", "# mypy: ignore-errors"]
    for name, nodes in module.statements.items():
        if name not in names:
            continue
        if name in taken and isinstance(nodes[0], ast.ImportFrom):
            # Checkers let others take from a stub what it imports by this form alone.
            (alias,) = nodes[0].names
            nodes = [ast.ImportFrom(nodes[0].module, [ast.alias(alias.name, name)], nodes[0].level)]  # noqa: PLW2901
        lines += [ast.unparse(ast.fix_missing_locations(node)) for node in nodes]
    if module.exported:
        lines.append(f"__all__ = {module.exported!r}")
    return "\n".join(lines) + "\n"


def _typed_branches(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that type checkers see."""
    for node in body:
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                yield from _typed_branches(node.body)
            case ast.If(test=ast.UnaryOp(ast.Not(), ast.Name("TYPE_CHECKING"))):
                yield from _typed_branches(node.orelse)
            case ast.If():
                yield from _typed_branches([*node.orelse, *node.body])
            case ast.Try():
                yield from _typed_branches(node.body)
            case _:
                yield node


def _names_in(node: ast.AST) -> Iterator[str]:
    """The names that a statement uses, in annotations that are strings too."""
    for part in ast.walk(node):
        match part:
            case ast.Name(name):
                yield name
            case ast.Constant(value=str(text)):
                try:
                    yield from _names_in(ast.parse(text, mode="eval"))
                except (SyntaxError, ValueError):
                    continue
            case _:
                pass


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _last_name(inner)
        case ast.Attribute(attr=name) | ast.Name(name):
            return name
        case _:
            return ""


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """A function without its body and its defaults."""
    node.args.defaults = [_ELLIPSIS for _ in node.args.defaults]
    node.args.kw_defaults = [None if default is None else _ELLIPSIS for default in node.args.kw_defaults]
    node.decorator_list = [each for each in node.decorator_list if _last_name(each) not in _TRANSPARENT]
    node.body = [ast.Expr(_ELLIPSIS)]
    return node


def _add(statements: list[ast.stmt], node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Adds a function; of what implements overloads, only what its decorator says of them."""
    before = [each for each in statements if isinstance(each, ast.FunctionDef) and each.name == node.name]
    overloaded = bool(before) and "overload" in map(_last_name, before[0].decorator_list)
    if overloaded and "overload" not in map(_last_name, node.decorator_list):
        says = [each for each in node.decorator_list if _last_name(each) == "dataclass_transform"]
        before[0].decorator_list = [*says, *before[0].decorator_list]
    else:
        statements.append(_function(node))


def _assignment(node: ast.Assign | ast.AnnAssign) -> ast.stmt:
    """An assignment, without its value where its type is said."""
    if isinstance(node, ast.AnnAssign) and _last_name(node.annotation) not in {"Final", "TypeAlias"}:
        node.value = None
    return node


def _class(node: ast.ClassDef) -> tuple[ast.stmt, list[str]]:
    """A class with its public members and the attributes that its methods give; and those whose type is not said."""
    has_fields = bool(_FIELDS.intersection(map(_last_name, node.decorator_list)))
    is_open = bool(_OPEN_BASES.intersection(map(_last_name, node.bases)))
    node.decorator_list = [each for each in node.decorator_list if _last_name(each) not in _TRANSPARENT]
    members: list[ast.stmt] = []
    given: dict[str, ast.expr | None] = {}
    for part in _typed_branches(node.body):
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if not is_open:
                    found = _attributes(part)
                    given |= {name: type_ for name, type_ in found.items() if given.get(name) is None}
                if is_open or _is_kept(part.name):
                    _add(members, part)
            case ast.AnnAssign() if has_fields:
                members.append(_field(part))
            case ast.AnnAssign() | ast.Assign() if is_open or any(map(_is_kept, _bound(part))):
                members.append(part if is_open else _assignment(part))
            case _:
                pass
    declared = {name for part in members for name in _bound(part)}
    own = {name: annotation for name, annotation in given.items() if name not in declared}
    typed = [ast.AnnAssign(ast.Name(name), each, None, 1) for name, each in own.items() if each is not None]
    node.body = [*typed, *members] or [ast.Expr(_ELLIPSIS)]
    return node, [name for name, each in own.items() if each is None]


def _is_kept(name: str) -> bool:
    """Whether a member is for users, or for Python and IPython."""
    return not name.startswith("_") or name.endswith("_")


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
            return [name]
        case ast.Assign(targets=[ast.Tuple(targets)]):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case _:
            return []


def _field(node: ast.AnnAssign) -> ast.stmt:
    """A field of a value: whether it has a default, and how `__init__` takes it."""
    if not isinstance(node.value, ast.Call) or _last_name(node.value) != "field":
        node.value = None if node.value is None else _ELLIPSIS
        return node
    given = {str(each.arg): each for each in node.value.keywords}
    if given.keys() & {"init", "kw_only"}:
        node.value.keywords = [each for name, each in given.items() if name not in {"repr", "compare", "hash"}]
    else:
        node.value = _ELLIPSIS if given.keys() & {"default", "default_factory"} else None
    return node


def _attributes(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr | None]:
    """The public attributes that a method gives its object, and their types; None: it is not said."""
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    types = {each.arg: each.annotation for each in arguments}
    found: dict[str, ast.expr | None] = {}
    for part in ast.walk(node):
        annotation: ast.expr | None = None
        match part:
            case ast.AnnAssign(target=ast.Attribute(ast.Name("self"), name), annotation=annotation):
                pass
            case ast.Assign(targets=[*_, ast.Attribute(ast.Name("self"), name)], value=value):
                annotation = _type_of(value, types)
            case _:
                continue
        if not name.startswith("_") and found.get(name) is None:
            found[name] = annotation
    return found


def _type_of(value: ast.expr, types: Mapping[str, ast.expr | None]) -> ast.expr | None:
    """The type of what is assigned, where it is plain."""
    match value:
        case ast.Name(name):
            return types.get(name)
        case ast.Constant(value=bool() | int() | float() | str() | bytes() as constant):
            return ast.Name(type(constant).__name__)
        case _:
            return None


def write(folder: Path, root: Path = ROOT) -> None:
    """Writes the stubs.

    Args:
        folder: Where, as beside the package.
        root: The checkout.
    """
    for name, text in stubs(root).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
