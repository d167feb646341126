from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tools.project import EDGES, LAYERS, PYPROJECT, ROOT, WITHOUT_BOTO3, lower_bounds, sources

FILES = sorted((ROOT / "xsession").rglob("*.py"))
LAYER_OF = {module: number for number, layer in enumerate(LAYERS) for module in layer}

# Where boto3 and botocore may be imported at run time: everywhere else, clients come as arguments.
BOTO3_USERS = {"account_session", "session", "_sts", "_botocore", *EDGES}
BOTOCORE_USERS = {
    "_botocore": "botocore",
    "_sts": "botocore.exceptions",
    "_sts_answers": "botocore.exceptions",
    "_iam": "botocore.exceptions",
    "testing": "botocore.session",
}
PUBLIC_BOTOCORE_TYPES = {"botocore.config"}


def dotted(path: Path) -> str:
    """`xsession/_botocore/models.py` -> `xsession._botocore.models`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in FILES}


def top(module: str) -> str:
    """The module's name in the layer table: `xsession._botocore.http` -> `_botocore`; "" for xsession itself."""
    first, _, rest = module.partition(".")[2].partition(".")
    nested = f"{first}.{rest.partition('.')[0]}"
    return nested if nested in LAYER_OF else first


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for node in child.orelse:
                yield node
                yield from run_time_nodes(node)
        else:
            yield child
            yield from run_time_nodes(child)


def run_time_imports(source: str, package: str) -> set[str]:
    """The modules that a source file in `package` imports at run time, at its top or inside of functions."""
    found: set[str] = set()
    for node in run_time_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = parents[: len(parents) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names = {f"{origin}.{alias.name}" for alias in node.names}
            own = {name for name in names if name in MODULES}
            found.update(own if own == names else own | {origin})
    return found


def imports_of(module: str) -> set[str]:
    """The run-time imports of a module of this package."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return run_time_imports(path.read_text(encoding="utf-8"), package)


def own_imports_of(module: str) -> set[str]:
    """The modules of this package that a module imports at run time."""
    return {name for name in imports_of(module) if name.partition(".")[0] == "xsession"}


def may_import(importer: str, imported: str) -> bool:
    """The layer rule, for two names of the layer table."""
    if importer == imported:
        return True
    if importer == "":
        return imported in LAYER_OF
    if importer in LAYER_OF:
        return imported in LAYER_OF and LAYER_OF[imported] <= LAYER_OF[importer]
    if importer == "__main__":
        return imported == "cli"
    return imported in {"", "errors", "escape"} or (importer == "testing" and imported in WITHOUT_BOTO3)


def may_import_boto(importer: str, imported: str) -> bool:
    """Whether a module may import this part of boto3 or botocore."""
    if importer in WITHOUT_BOTO3:
        return False
    if imported.partition(".")[0] == "boto3":
        return importer in BOTO3_USERS
    allowed = PUBLIC_BOTOCORE_TYPES | ({BOTOCORE_USERS[importer]} if importer in BOTOCORE_USERS else set())
    return any(imported == name or imported.startswith(f"{name}.") for name in allowed)


def run_python(code: str, *argv: str) -> str:
    """Run code in a Python of its own, without what measures coverage in this one; return what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
    command = [sys.executable, "-B", "-c", code, *argv]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_are_found_wherever_they_stand() -> None:
    """The walk that the rules below rest on sees relative and late imports, and skips those for type checkers."""
    source = """
import os.path
from typing import TYPE_CHECKING
from .errors import ConfigError
if TYPE_CHECKING:
    import boto3
else:
    import json
def late():
    from ..session import CrossAccountSession
    from botocore.config import Config
"""
    assert run_time_imports(source, "xsession.testing") == {
        "os.path",
        "typing",
        "xsession.testing.errors",
        "json",
        "xsession.session",
        "botocore.config",
    }


def test_every_module_has_a_layer() -> None:
    """A new module says where it belongs, in the table [tool.architecture] of pyproject.toml."""
    assert {top(module) for module in MODULES} - {"", *LAYER_OF, *EDGES} == set()


def test_imports_point_downward() -> None:
    """No module imports from a layer above its own; edges import the public face only."""
    wrong = [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in sorted(own_imports_of(module))
        if not may_import(top(module), top(imported))
    ]
    assert wrong == []


def test_imports_make_no_cycle() -> None:
    """Each module can be understood, and imported, before those that use it."""
    graph = {module: own_imports_of(module) - {module} for module in MODULES if top(module)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' <- '.join(error.args[1])}")


def test_boto3_and_botocore_stay_where_they_belong() -> None:
    """botocore's inside is known to `_botocore` alone, and changes of botocore touch nothing else."""
    wrong = [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in sorted(imports_of(module))
        if imported.partition(".")[0] in {"boto3", "botocore"} and not may_import_boto(top(module), imported)
    ]
    assert wrong == []


def test_lower_layers_import_without_boto3() -> None:
    """Whoever needs only roles, policies or credentials doesn't pay for boto3."""
    modules = [dotted(path) for module in WITHOUT_BOTO3 for path in sources(module)]
    code = """
import sys, types
from importlib import import_module
sys.modules["boto3"] = sys.modules["botocore"] = None
package = types.ModuleType("xsession")
package.__path__ = ["xsession"]
sys.modules["xsession"] = package
for name in sys.argv[1:]:
    import_module(name)
    print(name)
"""
    assert run_python(code, *modules).split() == modules


def test_importing_the_package_starts_nothing() -> None:
    """No socket, thread, process, file, log handler or environment variable comes from any public name."""
    code = """
import logging, os, sys, threading
import boto3, botocore.httpsession  # what these do at import (urllib3 tries a socket) isn't ours

STARTS = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.putenv",
          "os.mkdir", "os.rename", "os.remove", "_thread.start", "signal.", "sqlite3.", "tempfile.")

def hook(event, args):
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if watching and (writes or event.startswith(STARTS)):
        print(event, args)

def logging_state():
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    return {
        name: ([h for h in logger.handlers if type(h) is not logging.NullHandler], logger.level, [*logger.filters])
        for name, logger in loggers.items() if isinstance(logger, logging.Logger)
    }

before = logging_state()
watching = True
sys.addaudithook(hook)
from xsession import *
watching = False
for name, state in logging_state().items():
    if state != before.get(name, ([], logging.NOTSET, [])):
        print("logging", name, state)
if threading.active_count() != 1:
    print(threading.enumerate())
"""
    assert run_python(code) == ""


def test_all_lists_the_public_members() -> None:
    """What `__all__` names exists, what looks public is in it, nothing is in it twice."""
    package = import_module("xsession")
    names: list[str] = package.__all__
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and name != "annotations" and not isinstance(value, ModuleType)
    }
    assert [name for name in names if not hasattr(package, name)] == []
    assert public - set(names) == set()
    assert len(names) == len(set(names))


def test_type_checkers_see_what_programs_get() -> None:
    """Each public name comes late, from the module that type checkers are told of."""
    package: Any = import_module("xsession")
    (block,) = [
        node for node in ast.parse(MODULES["xsession"].read_text(encoding="utf-8")).body if type(node) is ast.If
    ]
    told = {
        node.module: tuple(alias.name for alias in node.names)
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
    }
    assert told == package._NAMES
    assert sorted(package._MODULE_OF) == sorted(package.__all__)


def test_a_bare_import_brings_nothing() -> None:
    """A library that depends on this one costs nothing before somebody reaches for another account."""
    code = """
import sys, xsession
print(*sorted(name for name in sys.modules if name.startswith(("xsession.", "boto3", "cachetools"))))
assert xsession.events.Event
assert "CrossAccountSession" in dir(xsession)
assert not hasattr(xsession, "CrossAccountSessions")
"""
    assert run_python(code).strip() == ""


def test_public_modules_are_attributes_of_the_package() -> None:
    """`import xsession` is enough to write `xsession.events.RefreshFailed`."""
    public = {path.stem for path in (ROOT / "xsession").glob("*.py") if not path.stem.startswith("_")} - {"cli"}
    assert set(import_module("xsession")._MODULES) == public


def test_what_few_need_is_imported_when_it_is_asked_for() -> None:
    """Policies, MFA, tables, setting up roles, making grants and the like cost those nothing who do none of it."""
    code = """
import sys
from xsession import CrossAccountSession
few = {"provision", "grants", "revocation", "diagnose", "activity", "audit", "status", "fanout", "redaction", "escape",
       "_table", "_policies.document", "_policies.limits", "_chain.mfa", "_chain.codes", "_chain.web_identity",
       "_botocore.profile"}
print(*sorted(name for name in few if f"xsession.{name}" in sys.modules))
"""
    assert run_python(code).strip() == ""


def test_importing_the_package_writes_no_methods() -> None:
    """Those that `dataclass` writes and compiles for a value took half of the import's time; they are for later."""
    code = """
import dataclasses, inspect, sys, xsession
from xsession import CrossAccountSession
for name, module in sorted(sys.modules.items()):
    if name.partition(".")[0] == "xsession":
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__ == name and dataclasses.is_dataclass(cls):
                for method in vars(cls).values():
                    if inspect.isfunction(method) and method.__code__.co_filename == "<string>":
                        print(method.__qualname__)
print(dataclasses.is_dataclass(xsession.Role))
"""
    assert run_python(code) == "True\n"


def test_values_are_made_by_one_decorator() -> None:
    """`@frozen`: what `dataclass` itself makes costs every import, or is neither frozen nor slotted."""
    wrong = [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        if module != "xsession._value"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if "dataclass" in {alias.name for alias in node.names}
    ]
    assert wrong == []


def test_all_is_sorted() -> None:
    """Constants, then classes, then functions, each by name: the order that ruff keeps too."""
    names: list[str] = import_module("xsession").__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_runtime_dependencies_are_three_with_lower_bounds() -> None:
    """A library that depends on us gets boto3, botocore and cachetools, and no upper bound."""
    assert set(lower_bounds()) == {"boto3", "botocore", "cachetools"}


def test_entry_points_exist() -> None:
    """The command and the pytest plugin that pyproject.toml announces can be loaded."""
    project = PYPROJECT["project"]
    module, _, function = project["scripts"]["xsession"].partition(":")
    assert callable(getattr(import_module(module), function))
    import_module(project["entry-points"]["pytest11"]["xsession"])


def test_the_package_is_typed() -> None:
    """Type checkers read our annotations only where PEP 561's marker is."""
    assert (ROOT / "xsession" / "py.typed").exists()


def test_tracked_files_name_no_machine() -> None:
    """The repository works anywhere: no package registry's host and no path of somebody's machine in it."""
    hosts = r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com"
    paths = r"(?<![\w.~<>/-])/(?:home|Users|root|work|mnt)/\w"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wrong = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in {".png", ".gif", ".ico", ".gz"} or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(f"{hosts}|{paths}", line):
                wrong.append(f"{name}:{number}: {line.strip()[:100]}")
    assert wrong == []
