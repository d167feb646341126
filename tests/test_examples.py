from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xsession.testing import LocalAWS, Story

NO_IMAGES = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs an example in a Python of its own."""
    command = [sys.executable, str(EXAMPLES / script)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**NO_IMAGES, **environ})


def test_the_demo_tells_its_whole_story() -> None:
    """Nine parts, all of which hold."""
    done = run("demo.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("   ok: ") == 9
    assert "FAILED" not in done.stdout


def test_the_example_that_users_copy_runs(local_aws: LocalAWS, tmp_path: Path) -> None:
    """With the environment's credentials, and nothing but its two files."""
    story = Story.told_by(local_aws)
    for name in ("vegeta.py", "xsession.toml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    command = [sys.executable, str(tmp_path / "vegeta.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=local_aws.environ(story.key))
    assert done.stdout == "vegeta: goku,9001\nvegeta-over-hub: goku,9001\n", done.stderr


def test_the_demo_fails_where_a_part_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit status is what the command promises; the other parts are told all the same."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    demo = importlib.import_module("demo")

    told: list[str] = []

    def fails(*_args: object) -> str:
        """A part that does not hold."""
        raise AssertionError

    def holds(*_args: object) -> str:
        """A part that holds."""
        told.append("told")
        return "ok"

    monkeypatch.setattr(demo, "PARTS", [fails, holds])
    assert demo.main() == 1
    assert told == ["told"]
