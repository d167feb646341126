from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from xsession.testing import LocalAWS, Story

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_the_example_that_users_copy_runs(local_aws: LocalAWS, tmp_path: Path) -> None:
    """With the environment's credentials, and nothing but its two files."""
    story = Story.told_by(local_aws)
    for name in ("vegeta.py", "xsession.toml"):
        shutil.copy(EXAMPLES / name, tmp_path)
    command = [sys.executable, str(tmp_path / "vegeta.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=local_aws.environ(story.key))
    assert done.stdout == "vegeta: goku,9001\nvegeta-over-hub: goku,9001\n", done.stderr
