from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.project import ROOT

PACKAGE = ROOT / "xsession" / "testing"
MODULES = sorted(path for path in PACKAGE.rglob("_*.py") if path.name != "__init__.py")


def folder_for(module: Path) -> Path:
    """The folder that mirrors a module's package."""
    return ROOT / "tests" / "testing" / Path(*(part.lstrip("_") for part in module.parent.relative_to(PACKAGE).parts))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_module_has_its_tests(module: Path) -> None:
    """In a file of its name, or in one of its package's that names it."""
    folder = folder_for(module)
    if (folder / f"test{module.name}").exists():
        return
    told = [ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in folder.glob("test_*.py")]
    assert any(f"`{module.stem}`" in text for text in told)
