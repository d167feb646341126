from __future__ import annotations

import ast
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tools.project import ROOT
from tools.stubs import UntypedError, stubs, write

KNOWN = r"""
# Written by another tool, for type checkers alone.
xsession\._service_(clients|types)
# Types are stricter than boto3's: keys are refused.
xsession\.account_session\.AccountSession\.client
# An implementation of overloads; and what is made by property(...).
xsession\._base\._value\.frozen
xsession\._botocore\._signing\.CurrentCredentials\..*
xsession\._chain\._account_credentials\.AccountCredentials\..*
"""
"""What mypy's stubtest says although it is right."""


@pytest.fixture(scope="module")
def written() -> dict[str, ast.Module]:
    """All stubs, read."""
    return {name: ast.parse(text) for name, text in stubs().items()}


def module_of(path: str) -> ModuleType:
    """The module that a stub is for."""
    return import_module(path.removesuffix(".pyi").removesuffix("/__init__").replace("/", "."))


def is_public(path: str) -> bool:
    """Whether users import from it."""
    return not any(part.startswith("_") and part != "__init__.pyi" for part in path.split("/"))


def bound(body: Iterable[ast.stmt]) -> set[str]:
    """The names that statements bind."""
    names: set[str] = set()
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
                names.add(name)
            case ast.Assign(targets=[ast.Tuple(targets)]):
                names |= {ast.unparse(target) for target in targets}
            case ast.Import() | ast.ImportFrom():
                names |= {alias.asname or alias.name for alias in node.names}
            case _:
                pass
    return names


def test_public_modules_have_all_their_names(written: dict[str, ast.Module]) -> None:
    """What users import is in its stub, and in no other form than there."""
    public = {path: tree for path, tree in written.items() if is_public(path)}
    assert {"xsession/__init__.pyi", "xsession/session.pyi", "xsession/testing/__init__.pyi"} <= public.keys()
    for path, tree in public.items():
        missing = set(getattr(module_of(path), "__all__", ())) - bound(tree.body)
        assert (path, missing) == (path, set())


def test_public_members_are_there(written: dict[str, ast.Module]) -> None:
    """Of each class that users import, all that it defines itself when a program runs."""
    by_name = {node.name: node for tree in written.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    # Their clients' methods are those of the other stubs.
    elsewhere = {"get_client", "client"}
    checked = 0
    for path in filter(is_public, written):
        module = module_of(path)
        for name in getattr(module, "__all__", ()):
            cls = getattr(module, name)
            if inspect.isclass(cls):
                defined = {member for member in vars(cls) if not member.startswith("_")} - elsewhere
                assert (name, defined - bound(by_name[name].body)) == (name, set())
                checked += 1
    assert checked > 100


def test_what_annotations_name_of_a_module_is_there(written: dict[str, ast.Module]) -> None:
    """Also where that module is not public."""
    assert "**overrides: Unpack[_session_options.SessionOptions]" in ast.unparse(written["xsession/session.pyi"])
    assert "SessionOptions" in bound(written["xsession/_session_options.pyi"].body)


def test_nothing_of_how_it_works_is_there(written: dict[str, ast.Module]) -> None:
    """A checker that reads the session's types reads neither STS's calls nor the command line."""
    assert {"xsession/_chain/_chains.pyi", "xsession/_sts/_calls.pyi", "xsession/cli/__init__.pyi"}.isdisjoint(written)
    assert len(written) < len(list((ROOT / "xsession").rglob("*.py"))) / 2


def test_an_attribute_without_a_type_is_refused(tmp_path: Path) -> None:
    """Where users would see it, a stub could only say that it is anything."""
    package = tmp_path / "xsession"
    package.mkdir()
    (package / "__init__.py").write_text("from ._one import One\n__all__ = ['One']\n")
    one = (
        "class One:\n    def __init__(self, given: int) -> None:\n        self.given = given\n        self.made = {0}\n"
    )
    (package / "_one.py").write_text(one.format("1"))
    assert "made: int" in stubs(tmp_path)["xsession/_one.pyi"]
    (package / "_one.py").write_text(one.format("list(given)"))
    with pytest.raises(UntypedError, match=r"xsession\._one: One\.made needs an annotation"):
        stubs(tmp_path)


@pytest.mark.checkers
def test_stubs_say_what_the_code_does(tmp_path: Path) -> None:
    """By mypy's stubtest: each signature, and what is an attribute, a property or a class method."""
    folder = tmp_path / "stubs"
    write(folder)
    for path in (ROOT / "xsession").glob("_service_*.pyi"):
        shutil.copy(path, folder / "xsession")
    (tmp_path / "known").write_text(KNOWN)
    options = ("--ignore-missing-stub", "--ignore-unused-allowlist", "--allowlist", str(tmp_path / "known"))
    command = [sys.executable, "-m", "mypy.stubtest", "xsession", "--concise", *options]
    environ = {**os.environ, "MYPYPATH": str(folder)}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    # It takes no Literal for a type.
    found = [line for line in done.stdout.splitlines() if not line.endswith(" is not a Union")]
    assert found == [], done.stderr


@pytest.mark.checkers
def test_what_users_write_has_the_same_types(tmp_path: Path) -> None:
    """`api.py`, which is judged by the code itself elsewhere."""
    shutil.copytree(ROOT / "xsession", tmp_path / "installed" / "xsession")
    write(tmp_path / "installed")
    shutil.copy(Path(__file__).with_name("api.py"), tmp_path)
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--cache-dir", os.devnull, "api.py"]
    environ = {**os.environ, "MYPYPATH": str(tmp_path / "installed")}
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
