"""`make dist`: builds sdist and wheel into dist/, checks them, and tries the wheel in an environment of its own.

Nothing of the checkout can be imported there: what works is what users get.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from tools.project import ROOT, tracked
from tools.stubs import stubs

FOLDER = ROOT / "dist"


def run(*command: str | os.PathLike[str], folder: Path = ROOT) -> None:
    """Run a command; whatever fails ends everything.

    Args:
        command: The program and its arguments.
        folder: Where.
    """
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MYPY"))}
    subprocess.run(command, cwd=folder, env=mine, check=True)


def build() -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from what the sdist holds."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", FOLDER)
    (sdist,), (wheel,) = FOLDER.glob("*.tar.gz"), FOLDER.glob("*.whl")
    return sdist, wheel


def missing(sdist: Path, files: AbstractSet[str]) -> list[str]:
    """Files that the sdist lacks: all targets and tests must run from it."""
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    return sorted(files - held)


def wrong_contents(wheel: Path, files: AbstractSet[str]) -> list[str]:
    """Files that only one has, the wheel or the package: types and data belong in it, tests and tools don't."""
    package = {name for name in files if name.startswith("xsession/")}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    return sorted(package ^ held)


def check_reproducible(*built: Path) -> None:
    """Build them again, at another time and by another front end: not a byte may differ."""
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", folder)
        differ = [path.name for path in built if path.read_bytes() != Path(folder, path.name).read_bytes()]
    if differ:
        sys.exit(f"built twice, and not the same: {', '.join(differ)}")


def try_example(python: Path, folder: Path) -> None:
    """Run the first example of the README that is in the wheel."""
    # -I: neither the script's folder nor this one is searched for modules.
    run(python, "-I", ROOT / "tools" / "first_example.py", folder=folder)


def check_types(python: Path, folder: Path) -> None:
    """Have mypy and pyright judge what users write, by the annotations of the installed wheel."""
    shutil.copy(ROOT / "tests" / "typing" / "api.py", folder)
    run(
        sys.executable,
        "-m",
        "mypy",
        "--config-file=",
        "--strict",
        "--python-executable",
        python,
        "api.py",
        folder=folder,
    )
    run(sys.executable, "-m", "pyright", "--pythonpath", python, "api.py", folder=folder)


def try_wheel(wheel: Path) -> None:
    """Use the wheel as its users do, from a folder and an environment that know nothing of the checkout."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "work"
        folder.mkdir()
        venv.create(folder.parent / "venv", with_pip=True)
        python = folder.parent / "venv" / "bin" / "python"
        install: Sequence[str] = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run(python, *install, f"{wheel}[testing,types]", folder=folder)
        try_example(python, folder)
        check_types(python, folder)


def main() -> None:
    """Build, check and try."""
    sdist, wheel = build()
    files = set(tracked())
    if wrong := wrong_contents(wheel, files | stubs().keys()):
        sys.exit(f"{wheel.name} and the package differ in {', '.join(wrong)}")
    if left_out := missing(sdist, files):
        sys.exit(f"{sdist.name} lacks {', '.join(left_out)}; see [tool.hatch.build.targets.sdist] in pyproject.toml")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    run(sys.executable, "-m", "check_wheel_contents", wheel)
    check_reproducible(sdist, wheel)
    try_wheel(wheel)
    print(f"{sdist.relative_to(ROOT)}\n{wheel.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
