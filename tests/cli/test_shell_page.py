from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from tests.support.command_line import COMMAND
from tools.project import ROOT
from xsession.testing import LocalAWS, Story

PAGE = (ROOT / "docs" / "how-to" / "shell.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n\$ xsession (.*?)\n(.*?)```", PAGE, re.DOTALL)


def test_commands_print_what_the_page_shows(tmp_path: Path, local_aws: LocalAWS) -> None:
    """Help and output; "..." stands for what differs each time."""
    story = Story.told_by(local_aws)
    (tmp_path / "xsession.toml").write_text((ROOT / "examples" / "xsession.toml").read_text())
    environ = {**local_aws.environ(story.key), "PATH": os.environ["PATH"], "COLUMNS": "80", "LOGNAME": "bruce"}
    environ |= {"XSESSION_STORE": "memory"}
    assert len(BLOCKS) == 8
    for arguments, expected in BLOCKS:
        words = shlex.split(arguments)
        with subprocess.Popen(
            [*COMMAND, *words], cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            shown = [child.stdout.readline() for _ in expected.splitlines()]
            child.send_signal(signal.SIGTERM)
            rest = child.stdout.read()
        pattern = re.escape(expected).replace(re.escape("..."), ".*?")
        assert re.fullmatch(pattern, "".join(shown).replace("python -m xsession", "xsession") + rest), arguments


def test_the_page_has_a_row_for_each_variable_of_ours() -> None:
    """That a command gets."""
    code = (ROOT / "xsession" / "cli" / "_nested_exec.py").read_text(encoding="utf-8")
    assert {name for name in re.findall(r'"(XSESSION_\w+)"', code) if f"| `{name}` |" not in PAGE} == set()
