"""What pyproject.toml says about the package, read once for the tools and the structure tests."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS: list[list[str]] = PYPROJECT["tool"]["architecture"]["layers"]
EDGES: list[str] = PYPROJECT["tool"]["architecture"]["edges"]
WITHOUT_BOTO3: list[str] = [
    module for layer in LAYERS[: PYPROJECT["tool"]["architecture"]["without_boto3"]] for module in layer
]


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


def sources(module: str) -> list[Path]:
    """The files of a module or subpackage of xsession, without those that the layer table names apart."""
    path = ROOT / "xsession" / module.replace(".", "/")
    single = path.with_suffix(".py")
    if single.exists():
        return [single]
    apart = {
        path / f"{other.rpartition('.')[2]}.py" for layer in LAYERS for other in layer if other.startswith(f"{module}.")
    }
    return sorted(set(path.rglob("*.py")) - apart)


def main() -> None:
    """Print the files that must be covered to 100 %, as `coverage report --include` takes them."""
    files = [path for module in WITHOUT_BOTO3 for path in sources(module)]
    print(",".join(str(path.relative_to(ROOT)) for path in files))


if __name__ == "__main__":
    main()
