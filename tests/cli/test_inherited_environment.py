from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xsession.cli import _inherited_environment

SHOW = """
import json, os
from xsession.cli._inherited_environment import inherited_environment
print(json.dumps([os.environ.get("LC_CTYPE"), inherited_environment().get("LC_CTYPE")]))
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="other systems don't say")
@pytest.mark.parametrize(
    ("given", "seen"), [({}, ["C.UTF-8", None]), ({"LC_CTYPE": "C.UTF-8"}, ["C.UTF-8", "C.UTF-8"])]
)
def test_what_python_adds_is_left_out(given: dict[str, str], seen: list[str | None]) -> None:
    """Where the locale is C; what was given stays."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run([sys.executable, "-c", SHOW], env={**environ, **given}, capture_output=True, check=True)
    assert json.loads(done.stdout) == seen


def test_without_the_systems_word_all_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On macOS, say."""
    monkeypatch.setattr(_inherited_environment, "_STARTED_WITH", tmp_path / "none")
    monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    assert _inherited_environment.inherited_environment() == dict(os.environ)
