from __future__ import annotations

import pytest

from tests.support.command_line import forked, run
from xsession.cli._story import Stage, tell


def test_the_demo_tells_its_whole_story() -> None:
    """Nine parts, all of which hold; whatever profile the user's environment names."""
    done = forked("demo", env={"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": "AKIAXXXXXXXXXXXXXXXX"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("   ok: ") == 9
    assert "FAILED" not in done.stdout


def test_it_fails_where_a_part_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other parts are told all the same, and the exit status says it."""

    def fails(_stage: Stage) -> str:
        """A part that does not hold."""
        raise RuntimeError

    def holds(_stage: Stage) -> str:
        """A part that holds."""
        return "yes"

    lines: list[str] = []
    assert tell(lines.append, [fails, holds]) == 1
    assert lines == [
        "1. A part that does not hold.",
        "   FAILED: RuntimeError: ",
        "2. A part that holds.",
        "   ok: yes",
    ]
    monkeypatch.setattr("xsession.cli._story.PARTS", [fails])
    assert run(monkeypatch, "demo") == 1
    assert "FAILED" in capsys.readouterr().out
