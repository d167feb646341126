from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import run_python
from xsession.testing import EventCapture, FakeClock, LocalAWS

HEAVY = "sorted(set(sys.modules) & {'boto3', 'botocore', 'moto', 'flask', 'xsession.testing._local_aws'})"


def test_a_start_of_pytest_imports_no_aws() -> None:
    """It loads the plugin wherever xsession is installed, also for projects that use none of its fixtures."""
    assert run_python(f"import sys, xsession.testing._pytest_plugin; print({HEAVY})") == "[]\n"


def test_a_run_of_pytest_imports_next_to_nothing_of_ours(tmp_path: Path) -> None:
    """As pytest itself loads the plugin, in a project that uses none of its fixtures: five small modules."""
    (tmp_path / "conftest.py").write_text(
        "import sys\ndef pytest_sessionfinish():\n"
        f"    print('found', sorted(name for name in sys.modules if name.startswith('xsession')), {HEAVY})\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = ["xsession", "xsession._base", "xsession._base.lazy", "xsession.testing", "xsession.testing._pytest_plugin"]
    assert f"found {lines} []" in done.stdout, done.stderr


def test_a_clock_and_a_capture_import_no_aws() -> None:
    """Nor do the names beside them, until one is used."""
    code = f"import sys; from xsession.testing import EventCapture, FakeClock, Fault, NotJudgedError; print({HEAVY})"
    assert run_python(code) == "[]\n"


def test_the_local_aws_is_imported_when_it_is_used() -> None:
    """So the two tests above can fail."""
    found = run_python(f"import sys; from xsession.testing import LocalAWS; print({HEAVY})")
    assert "boto3" in found
    assert "xsession.testing._local_aws" in found


@pytest.mark.parametrize(
    ("name", "kind"), [("local_aws", LocalAWS), ("fake_clock", FakeClock), ("captured_events", EventCapture)]
)
def test_fixtures_are_what_they_say(request: pytest.FixtureRequest, name: str, kind: type[object]) -> None:
    """Without a conftest of the project's own."""
    assert isinstance(request.getfixturevalue(name), kind)
