from __future__ import annotations

import subprocess
import sys

import pytest

from xsession.cli._main import arguments_of_fast_command


def test_python_dash_m_is_the_same() -> None:
    """Where the script is not on PATH."""
    done = subprocess.run([sys.executable, "-m", "xsession", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("xsession ")


def test_without_click_it_says_what_to_install() -> None:
    """The extra is not installed."""
    code = "import sys; sys.modules['click'] = None; from xsession.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "xsession[cli]" in done.stderr


def test_ctrl_c_at_the_start_has_no_traceback() -> None:
    """While its own modules are imported, which is when most of a fast command's time passes."""
    code = """
import sys
from xsession.cli import main

class Interrupted:
    def find_spec(self, name, *_others):
        if name in {"xsession.cli._credential_process", "xsession.cli._app"}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
for command in ("credential-process", "whoami"):
    sys.argv = ["xsession", command, "vegeta"]
    assert main() == 130
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "xsession: interrupted\n" * 2)


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        ("credential-process vegeta", ["vegeta"]),
        ("--config x.toml credential-process --region=eu-west-1 a", ["--config", "x.toml", "--region=eu-west-1", "a"]),
        ("--region=eu-west-1 credential-process a", ["--region=eu-west-1", "a"]),
        ("--profile credential-process whoami", None),
        ("whoami credential-process", None),
        ("credential-process --help", None),
        ("", None),
        ("--config", None),
    ],
)
def test_the_fast_command_is_known_before_click_is(arguments: str, own: list[str] | None) -> None:
    """With the options that stand before it; its help is click's."""
    assert arguments_of_fast_command(arguments.split()) == own
