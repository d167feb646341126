"""A folder with the recipes of the frameworks' page, and accounts whose credentials live for some seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.worlds import World
from tools.project import ROOT
from xsession.testing import LocalAWS

PROGRAM = re.compile(r'```py title="([\w.]+)"\n(.*?)```', re.DOTALL)
LIFETIME = 3.0
LOOP = """
import time

def over_lifetimes(xs, count=5):
    seen, gives_up = set(), time.monotonic() + 120
    while len(seen) < count:
        assert time.monotonic() < gives_up, seen
        seen.add(xs.get_frozen_credentials("vegeta").access_key_id)
        yield
        time.sleep(0.1)
"""


def needs(module: str) -> list[pytest.MarkDecorator]:
    """The marks of tests for which a package is installed on its own; importing it here could write files."""
    missing = find_spec(module) is None
    return [pytest.mark.frameworks, pytest.mark.skipif(missing, reason=f"no {module} here: run make test-frameworks")]


@dataclass
class Recipes:
    """The folder, the environment that they run in, and the AWS that they talk to."""

    world: World
    folder: Path
    environ: dict[str, str]

    def run(self, code: str, **environ: str) -> str:
        """What a program in the folder prints."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def check_lifetimes(self, at_least: int = 4, *, refused: tuple[str, ...] = ()) -> None:
        """The credentials of so many were used, one AssumeRole gave each; nothing was refused but with these codes."""
        calls = self.world.aws.calls
        assumed = sum(call.operation == "AssumeRole" for call in calls)
        used = {call.access_key_id for call in calls if call.service != "sts"}
        assert all(key.startswith("ASIA") for key in used)
        # Refreshed ahead of time, the last ones may not have been used any more; nor some on a machine that is busy.
        assert at_least <= len(used) <= assumed <= len(used) + 2
        assert {call.error_code for call in calls} == {None, *refused}


@pytest.fixture
def recipes(tmp_path: Path) -> Iterator[Recipes]:
    """Batman's accounts, what the page shows, and credentials of some seconds."""
    for name, text in PROGRAM.findall((ROOT / "docs" / "how-to" / "frameworks.md").read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "lifetimes.py").write_text(LOOP)
    with LocalAWS() as aws:
        world = World(aws)
        world.bucket()
        (tmp_path / "xsession.toml").write_text(f'[accounts.vegeta]\nrole_arn = "{world.role}"\n')
        aws.set_lifetime(LIFETIME)
        aws.clear_calls()
        own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LOGNAME": "bruce", "PYTHONPATH": str(tmp_path)}
        yield Recipes(world, tmp_path, {**aws.environ(world.key), **own})
