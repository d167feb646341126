"""What pyproject.toml says about the package, read once for the tools and the structure tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EDGES: list[str] = PYPROJECT["tool"]["architecture"]["edges"]
LAYERS: list[list[str]] = PYPROJECT["tool"]["architecture"]["layers"]
WITHOUT_BOTO3: list[str] = [
    room for layer in LAYERS[: PYPROJECT["tool"]["architecture"]["without_boto3"]] for room in layer
]


def layers_of(root: Path) -> list[list[str]]:
    """The layers of the package in a checkout, from the lowest to the highest."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    layers: list[list[str]] = tomllib.loads(text)["tool"]["architecture"]["layers"]
    return layers


def lower_bounds() -> dict[str, str]:
    """The oldest version claimed for each runtime dependency.

    Raises:
        ValueError: A dependency isn't written as `name>=version`.
    """
    bounds = {}
    for requirement in PYPROJECT["project"]["dependencies"]:
        match = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
        if match is None:
            msg = f"expected name>=version, got {requirement!r}"
            raise ValueError(msg)
        bounds[match[1]] = match[2]
    return bounds


def tracked() -> list[str]:
    """The files of this checkout that git tracks, as they are now; none in an unpacked sdist."""
    if not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def sources(room: str) -> list[Path]:
    """The files of a package of xsession, or of a module that stands alone."""
    path = ROOT / "xsession" / room
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def tests(room: str) -> Path:
    """Where the tests of a room lie."""
    name = room.lstrip("_")
    folder = ROOT / "tests" / name
    return folder if folder.is_dir() else ROOT / "tests" / f"test_{name}.py"


def main() -> None:
    """Print what must be covered to 100 %: its files, as `coverage report --include` takes them, or its tests."""
    if sys.argv[1:] == ["tests"]:
        mirror = [str(tests(room).relative_to(ROOT)) for room in WITHOUT_BOTO3]
        print(*mirror, *PYPROJECT["tool"]["architecture"]["covered_by"])
    else:
        print(",".join(str(path.relative_to(ROOT)) for room in WITHOUT_BOTO3 for path in sources(room)))


if __name__ == "__main__":
    main()
