"""Programs of their own, for what only a new process shows."""

from __future__ import annotations

import os
import subprocess
import sys

from tools.project import ROOT


def run_python(code: str, *argv: str) -> str:
    """Run code in a Python of its own, without what measures coverage in this one; return what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))}
    command = [sys.executable, "-B", "-c", code, *argv]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
