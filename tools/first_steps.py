"""`make test-first-steps`: types the page of the first ten minutes, word for word, and times each of its scripts.

Each script is a section of the page. It runs in an empty folder with an empty home. Only what needs a person or a
network is replaced: JupyterLab by a program that runs the cells, the repository by this checkout, and AWS by a
`LocalAWS`, to which the profile points.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, cast

from tools.project import PYPROJECT, ROOT, tracked
from xsession.testing import LocalAWS, Story

PAGE = ROOT / "docs" / "tutorial" / "first-steps.md"
# Downloads are kept between runs; a newcomer's first run is the one after `make clean`.
PIP_CACHE = ROOT / ".venvs" / "pip-cache"
_NEEDS_A_PERSON = "jupyter lab"
_CELL, _OUTPUT, _NOTEBOOK = "Cell", "Output", "Untitled.ipynb"
_FENCE = re.compile(
    r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL
)


class Step(NamedTuple):
    """One block of the page: a file or cell to type, an output, or commands with what they print.

    Args:
        language: The fence's.
        title: The file's name, "Cell" or "Output"; None: a console.
        text: What is in the block.
    """

    language: str
    title: str | None
    text: str

    def commands(self) -> Iterator[tuple[str, str]]:
        """The commands of a console, each with what it prints."""
        for block in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, printed = block.partition("\n")
            yield command, printed


def scripts(page: str) -> dict[str, list[Step]]:
    """The scripts of a page, by heading: its sections that have a console in a block."""
    found = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        steps = [Step(**match.groupdict()) for match in _FENCE.finditer(text)]
        if any(step.language == "console" for step in steps):
            found[heading] = steps
    return found


def check(command: str, printed: str, expected: str) -> None:
    """Compares what was printed with what the page shows.

    Raises:
        ValueError: They differ.
    """
    if printed.strip() != expected.strip():
        msg = f"{command}: the page shows\n{expected}\nand this was printed:\n{printed}"
        raise ValueError(msg)


class Terminal:
    """A bash in which commands are typed one after the other.

    Args:
        folder: Where it begins.
        environ: All of its environment.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._typed, self._printed = cast("IO[bytes]", self._shell.stdin), cast("IO[bytes]", self._shell.stdout)

    def type(self, command: str) -> str:
        """Runs a command; returns what it printed.

        Raises:
            ValueError: It failed.
        """
        self._typed.write(f"{{ {command}\n}} </dev/null; printf '\\0%d\\n' $?\n".encode())
        self._typed.flush()
        printed = b""
        while b"\0" not in (line := self._printed.readline()):
            if not line:
                break
            printed += line
        printed += line.partition(b"\0")[0]
        if line.partition(b"\0")[2] != b"0\n":
            msg = f"{command}: failed\n{printed.decode()}"
            raise ValueError(msg)
        return printed.decode()

    def close(self) -> None:
        """Ends it."""
        self._shell.communicate()


def run_notebook(terminal: Terminal, folder: Path, steps: list[Step]) -> None:
    """Runs the cells of a script as JupyterLab would, and compares the outputs that the page shows."""
    cells = [step for step in steps if step.title in {_CELL, _OUTPUT}]
    fixed: dict[str, object] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    typed = [{**fixed, "id": str(n), "source": cell.text} for n, cell in enumerate(cells) if cell.title == _CELL]
    path = folder / _NOTEBOOK
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": typed}))
    terminal.type(f"jupyter execute --inplace {_NOTEBOOK} 2>/dev/null")
    ran = {cell["id"]: cell["outputs"] for cell in json.loads(path.read_text())["cells"]}
    for number, step in enumerate(cells):
        if step.title == _OUTPUT:
            (output,) = ran[str(number - 1)]
            check(f"cell {number}", "".join(output["data"]["text/plain"]), step.text)


def run(steps: list[Step], folder: Path, environ: Mapping[str, str]) -> None:
    """Types one script.

    Args:
        steps: The script.
        folder: An empty one.
        environ: All of the terminal's environment.

    Raises:
        ValueError: A command failed, or printed something else than the page shows.
    """
    terminal = Terminal(folder, environ)
    try:
        for step in steps:
            if step.language == "console":
                for command, expected in step.commands():
                    if command == _NEEDS_A_PERSON:
                        run_notebook(terminal, folder, steps)
                    else:
                        check(command, terminal.type(command), expected)
            elif step.title not in {_CELL, _OUTPUT, None}:
                (folder / step.title).write_text(step.text)
    finally:
        terminal.close()


def commit_checkout(repository: Path) -> None:
    """Makes a repository of the tracked files as they are now."""
    for name in tracked():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, repository / name)
    git = ["git", "-c", "user.name=xsession", "-c", "user.email=xsession@localhost"]
    for command in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message", "checkout"]):
        subprocess.run([*git, *command], cwd=repository, check=True)


def environment(home: Path, programs: Path, repository: Path) -> dict[str, str]:
    """The environment of somebody who has Python and git, and nothing else.

    Args:
        home: Whose folder that is.
        programs: A folder on PATH; gets a `python3`, which is this Python.
        repository: What git finds at the project's address.
    """
    python = programs / "python3"
    python.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')  # not that of an environment
    python.chmod(0o755)
    git = Path(shutil.which("git") or "git").parent
    # How pip gets to its index is the machine's affair.
    network = re.compile(r"PIP_|SSL_|CURL_CA|REQUESTS_CA|(?:https?|no|all)_proxy$", re.IGNORECASE)
    return {
        **{name: value for name, value in os.environ.items() if network.match(name)},
        "PATH": f"{programs}:{git}:/usr/bin:/bin",
        "HOME": str(home),
        "LOGNAME": "bruce",
        "LANG": "C.UTF-8",
        "PIP_CACHE_DIR": str(PIP_CACHE),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": PYPROJECT["project"]["urls"]["Source"],
    }


def write_profile(home: Path, aws: LocalAWS) -> None:
    """The profile `batman`, as `aws configure` writes it; its endpoint alone is not AWS's."""
    key = Story.told_by(aws).key
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(f"[profile batman]\nregion = us-east-1\nendpoint_url = {aws.endpoint_url}\n")
    (folder / "credentials").write_text(
        f"[batman]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    )


def run_clean(heading: str, steps: list[Step]) -> tuple[float, float]:
    """Types one script where nothing is yet.

    Returns:
        Seconds, and those of a CPU: on a busy machine, the latter say more.
    """
    with tempfile.TemporaryDirectory() as made, LocalAWS() as aws:
        home, programs, repository, folder = (
            Path(made).resolve() / name for name in ("home", "bin", "checkout", "work")
        )
        for path in (home, programs, repository, folder):
            path.mkdir()
        commit_checkout(repository)
        if "profile" in heading:
            write_profile(home, aws)
        started, used = time.monotonic(), cpu_seconds()
        run(steps, folder, environment(home, programs, repository))
        return time.monotonic() - started, cpu_seconds() - used


def cpu_seconds() -> float:
    """What children have used so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Types all scripts, or those that are named; 0 if they work."""
    if not tracked():
        sys.exit("this is no checkout, from which pip could install")
    found = scripts(PAGE.read_text(encoding="utf-8"))
    for heading in sys.argv[1:] or found:
        try:
            seconds, cpu = run_clean(heading, found[heading])
        except ValueError as error:
            print(f"{heading}: {error}")
            return 1
        print(f"{heading}: {seconds:.0f} s, {cpu:.0f} s of a CPU", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
