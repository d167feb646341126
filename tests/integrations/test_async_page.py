"""The programs of the page about asyncio, run with the real libraries: `make test-async`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.project import ROOT
from xsession.testing import LocalAWS, Story

pytest.importorskip("aiobotocore", reason="aiobotocore is not installed: run make test-async")

pytestmark = pytest.mark.aio

PAGE = (ROOT / "docs/how-to/async.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r'```py title="(\w+)\.py"\n(.*?)```', PAGE, re.DOTALL))


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_it_runs(local_aws: LocalAWS, tmp_path: Path, name: str) -> None:
    """In a process of its own, in which every warning is an error; what is printed is the bucket's content."""
    if "aioboto3" in name:
        pytest.importorskip("aioboto3", reason="aioboto3 pins an older aiobotocore than is installed here")
    story = Story.told_by(local_aws)
    shutil.copy(ROOT / "examples" / "xsession.toml", tmp_path)
    program = tmp_path / f"{name}.py"
    program.write_text(PROGRAMS[name])
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if name.startswith("test_") else []
    environ = {**os.environ, "PYTHONPATH": str(ROOT)} | ({} if command else local_aws.environ(story.key))
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", *command, str(program)],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout if command else done.stdout == "['scouter.csv']\n"
    assert "Unclosed" not in done.stderr
