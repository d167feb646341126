from __future__ import annotations

import subprocess
import sys


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
