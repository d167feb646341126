"""Run the tests on every Python found, with the newest dependencies, and once with the oldest that we claim.

With the newest ones, the wheel and each of its extras alone as well.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tools.project import ROOT, lower_bounds

PARALLEL = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def candidates(version: str) -> Iterator[str]:
    """Where a Python of this version may be: on PATH, then among pyenv's."""
    yield f"python{version}"
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        yield from (str(path) for path in sorted(Path(root, "versions").glob(f"{version}.*/bin/python"), reverse=True))


def find(version: str) -> str | None:
    """The first candidate that runs (pyenv's shims exist for versions that they then refuse)."""
    for python in candidates(version):
        path = shutil.which(python)
        if path and subprocess.run([path, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def run_tests(name: str, python: str, pins: list[str]) -> bool:
    """Make or update the virtual environment `.venvs/<name>` and run pytest there; without pins, each extra alone too.

    Returns:
        Whether all tests passed, and all extras work.
    """
    print(f"== {name}: {', '.join(pins) or 'newest dependencies'}", flush=True)
    started = time.monotonic()
    venv = ROOT / ".venvs" / name
    if not (venv / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", str(venv)], check=True)
    own = str(venv / "bin" / "python")
    install = [own, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*install, "--upgrade-strategy=eager", "-e", f"{ROOT}[test]", "uv", *pins], check=True)
    commands = [[own, "-m", "pytest", "-q", *PARALLEL, *sys.argv[1:]]]
    if not pins:
        commands.append([own, "-m", "tools.extras"])
    passed = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands] == [0] * len(commands)
    print(f"== {name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s\n", flush=True)
    return passed


def main() -> int:
    """Test everywhere; 0 if all passed."""
    pythons = {version: find(version) for version in VERSIONS}
    for version, python in pythons.items():
        print(f"Python {version}: {python or 'not found, not tested'}")
    found = {version: python for version, python in pythons.items() if python}
    runs = [(version, python, list[str]()) for version, python in found.items()]
    oldest = next(iter(found))
    runs.append((f"{oldest}-oldest", found[oldest], [f"{name}=={version}" for name, version in lower_bounds().items()]))
    failed = [name for name, python, pins in runs if not run_tests(name, python, pins)]
    print(f"failed: {', '.join(failed)}" if failed else f"passed: {', '.join(name for name, _, _ in runs)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
