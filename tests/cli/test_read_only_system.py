from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND
from tests.support.stores import as_root
from tests.support.worlds import VEGETA
from tools.project import ROOT

pytestmark = [
    as_root,
    pytest.mark.skipif(shutil.which("unshare") is None, reason="mounts of its own are Linux's"),
]

READ_ONLY = "mount --make-rprivate / && mount -o remount,bind,ro / && cd / && exec "
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command where nothing can be written to, and whose user has no home."""
    named = {"HOME": "/", "XSESSION_CONFIG": str(folder / "xsession.toml"), "PYTHONPATH": str(ROOT)}
    kept = {name: value for name, value in os.environ.items() if name not in ("XDG_CACHE_HOME", "XSESSION_STORE")}
    line = READ_ONLY + shlex.join([*COMMAND, *arguments])
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", line], env={**kept, **named}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["accounts"],
        ["credential-process", "vegeta"],
        ["env", "vegeta", "--format", "json"],
        ["exec", "vegeta", "--", sys.executable, "-c", WHO],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_the_environment_has_needs_no_disk(folder: Path, arguments: list[str]) -> None:
    """One thing is said of the store (H61)."""
    done = ran(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert VEGETA in done.stdout
    said = [line for line in done.stderr.splitlines() if line.startswith("xsession: ")]
    assert len(said) == (arguments[0] != "accounts"), done.stderr
    assert all("store" in line for line in said)
