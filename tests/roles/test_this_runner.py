from __future__ import annotations

import os
import sys

import pytest

from xsession.roles import _this_runner, this_runner


def test_who_runs_this_process_is_its_user_and_its_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CloudTrail will show it."""
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "bruce")
    monkeypatch.setattr(sys, "argv", ["/opt/cave/scouter.py"])
    assert (this_runner().user, this_runner().program) == ("bruce", "scouter")


def test_a_user_without_a_name_and_a_program_without_one_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with a made-up user id, and in an embedded Python."""

    def nobody() -> str:
        raise KeyError("uid not found")  # noqa: EM101, TRY003 # as pwd does

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr(sys, "argv", [])
    assert (this_runner().user, this_runner().program) == (f"uid{os.getuid()}", "python")


def test_the_host_is_found_where_there_is_no_uname(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr(os, "uname")
    monkeypatch.setattr("platform.node", lambda: "CAVE")
    assert _this_runner._host() == "CAVE"
