from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.cells import attempted
from tools.project import ROOT
from xsession import ConfigError, MfaError, SessionClosedError
from xsession._chain import _mfa_prompt as codes
from xsession._chain._mfa_prompt import MfaPrompt, ask_for_code
from xsession.testing import FakeClock

SERIAL = "arn:aws:iam::111111111111:mfa/bruce"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No person is at the terminal of the tests, and no notebook is open."""
    monkeypatch.setattr(codes, "TERMINAL", "no-such-terminal")
    monkeypatch.setitem(sys.modules, "IPython", None)


def prints(text: str, *, status: int = 0) -> list[str]:
    """A program that prints something and ends."""
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({status})"]


# A function


def test_the_function_is_called_with_the_serial() -> None:
    """It may know several devices."""
    assert ask_for_code(SERIAL, lambda serial: "123456" if serial == SERIAL else "", None) == "123456"


def test_a_function_that_fails_is_an_error_of_ours() -> None:
    """Without its own as the cause, which may hold a code; one of ours stays what it is."""

    def fails(_serial: str) -> str:
        raise LookupError

    def refuses(_serial: str) -> str:
        msg = "no"
        raise ConfigError(msg)

    with pytest.raises(MfaError, match="failed: LookupError") as caught:
        ask_for_code(SERIAL, fails, None)
    assert caught.value.__cause__ is caught.value.__context__ is None
    with pytest.raises(ConfigError, match="no"):
        ask_for_code(SERIAL, refuses, None)


# A program


def test_a_program_prints_the_code() -> None:
    """With a line's end, or space around it."""
    assert ask_for_code(SERIAL, None, prints(" 123456 ")) == "123456"


@pytest.mark.parametrize("printed", ["Code for GAHT-1234: 123456.", "123456 is good for 30 s", "id 1234567\n123456\n"])
def test_a_program_may_print_words_around_the_code(printed: str) -> None:
    """As long as one run of six digits alone stands in them."""
    assert ask_for_code(SERIAL, None, prints(printed)) == "123456"


def test_a_program_is_told_the_device() -> None:
    """In any of its arguments, as text: no shell looks at it."""
    program = [sys.executable, "-c", "import sys; print(sys.argv[1:] == sys.argv[2:] or '123456')", "{serial}; echo"]
    assert ask_for_code("abcdefghi", None, program) == "123456"
    shows = [sys.executable, "-c", "import sys; sys.exit(len(sys.argv[1]))", "x={serial}"]
    with pytest.raises(MfaError, match="ended with 11"):
        ask_for_code("abcdefghi", None, shows)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (prints("987654", status=3), "ended with 3"),
        (["no-such-program"], "could not be run: No such file"),
        (prints("987654 or 987655"), "six digits, and printed 2"),
        (prints("9876543"), "six digits, and printed none"),
        ([sys.executable, "-c", r"import os; os.write(1, b'\xff' * 6)"], "six digits"),
    ],
)
def test_a_program_that_gives_no_code_is_an_error(command: list[str], problem: str) -> None:
    """What it printed is in no message: it may be half of a secret."""
    with pytest.raises(MfaError, match=problem) as caught:
        ask_for_code(SERIAL, None, command)
    assert "987654" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_program_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time; what it printed until then is not held by the error."""
    monkeypatch.setattr(codes, "COMMAND_SECONDS", 0.5)
    program = [sys.executable, "-c", "import time; print('987654', flush=True); time.sleep(60)"]
    with pytest.raises(MfaError, match="took longer") as caught:
        ask_for_code(SERIAL, None, program)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# A person


def test_where_nobody_sits_it_is_an_error_that_says_what_to_pass() -> None:
    """A service has no terminal."""
    with pytest.raises(MfaError, match="there is no way to ask") as caught:
        ask_for_code(SERIAL, None, None)
    assert "mfa_code=" in str(caught.value.hint)
    assert "mfa_command=" in str(caught.value.hint)


def notebook(monkeypatch: pytest.MonkeyPatch, getpass: Any) -> None:
    """Puts us into the kernel of a notebook, as far as we look."""
    shell = SimpleNamespace(kernel=SimpleNamespace(getpass=getpass))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_notebook_asks_on_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through its kernel, with the device in the question."""
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return "123456"

    notebook(monkeypatch, getpass)
    assert ask_for_code(SERIAL, None, None) == "123456"
    assert SERIAL in asked[0]


def test_a_notebook_that_nobody_sits_in_front_of_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is run by a program, the kernel refuses to ask."""

    def getpass(_prompt: str) -> str:
        raise NotImplementedError

    notebook(monkeypatch, getpass)
    with pytest.raises(MfaError, match="none was given") as caught:
        ask_for_code(SERIAL, None, None)
    assert "mfa_code=" in str(caught.value.hint)


def test_plain_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a terminal, and no kernel."""
    for shell in (None, SimpleNamespace()):
        monkeypatch.setitem(
            sys.modules,
            "IPython",
            SimpleNamespace(get_ipython=lambda shell=shell: shell),
        )
        with pytest.raises(MfaError, match="there is no way to ask"):
            ask_for_code(SERIAL, None, None)


ASKS = """
import os, sys
os.close(os.open(sys.argv[1], os.O_RDWR))  # the first terminal that a session's leader opens becomes its own
if sys.argv[2:] == ["background"]:
    os.setpgid(0, 0) if os.getpid() != os.getsid(0) else None
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os.setpgid(0, 0)
from xsession import MfaError
from xsession._chain._mfa_prompt import MfaPrompt, ask_for_code
from xsession.testing import FakeClock
try:
    print("got", ask_for_code("GAHTABCDEFGH", None, None))
except MfaError as error:
    print("refused", error.message)
"""


def at_terminal(typed: bytes, *arguments: str) -> tuple[str, bytes]:
    """Runs the question in a process that has a terminal of its own; gives its output and what the terminal showed."""
    ours, theirs = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", ASKS, os.ttyname(theirs), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
            cwd=ROOT,
        ) as child:
            shown = b""
            if typed:
                while b"GAHTABCDEFGH: " not in shown:
                    shown += os.read(ours, 1_000)
                os.write(ours, typed)
            output = child.communicate(timeout=30)[0]
            os.write(theirs, b"<end>")
            while b"<end>" not in shown:
                shown += os.read(ours, 1_000)
    finally:
        os.close(ours)
        os.close(theirs)
    return output, shown


needs_terminals = pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are different here")


@needs_terminals
def test_a_terminal_asks_and_does_not_show_the_code() -> None:
    """Even where standard input and output are elsewhere."""
    output, shown = at_terminal(b"987654\n")
    assert output == "got 987654\n"
    assert b"987654" not in shown


@needs_terminals
@pytest.mark.parametrize(("value", "asks"), [("1", False), ("true", False), ("0", True), ("", True)])
def test_a_variable_says_that_nobody_is_there(monkeypatch: pytest.MonkeyPatch, value: str, asks: bool) -> None:
    """In CI, for one, where a terminal may be there and nobody before it."""
    monkeypatch.setenv("XSESSION_NO_INPUT", value)
    output, _shown = at_terminal(b"987654\n" if asks else b"")
    assert output == "got 987654\n" if asks else "XSESSION_NO_INPUT says that nobody is asked" in output


@needs_terminals
def test_a_job_in_the_background_of_a_terminal_asks_nobody() -> None:
    """The terminal would stop it."""
    assert "there is no way to ask" in at_terminal(b"", "background")[0]


@needs_terminals
def test_an_end_of_input_is_no_code() -> None:
    """Ctrl-D: the person has none."""
    assert "none was given" in at_terminal(b"\x04")[0]


def test_no_prompt_starts_a_thread() -> None:
    """The question is asked in the thread of the caller."""
    threads: list[int] = []

    def code(_serial: str) -> str:
        threads.append(threading.get_ident())
        return "123456"

    ask_for_code(SERIAL, code, None)
    assert threads == [threading.get_ident()]


# One after the other


def test_whoever_waits_for_its_turn_is_told_that_the_session_is_closed() -> None:
    """While somebody else is asked, who may take all day."""
    asked, gate = threading.Event(), threading.Event()

    def ask(_serial: str) -> str:
        asked.set()
        gate.wait(30)
        return "123456"

    prompt = MfaPrompt(ask, FakeClock())
    first = threading.Thread(target=prompt.called, args=(SERIAL,), daemon=True)
    first.start()
    assert asked.wait(10)
    told: list[object] = []
    second = threading.Thread(target=lambda: told.append(attempted(partial(prompt.called, SERIAL))), daemon=True)
    second.start()
    prompt.close()
    second.join(10)
    assert [type(each) for each in told] == [SessionClosedError]
    gate.set()
    first.join(10)


def test_a_function_that_needs_a_code_itself_is_told_so() -> None:
    """It would be called by itself, again and again."""

    def ask(serial: str) -> str:
        return prompt.called(serial)

    prompt = MfaPrompt(ask, FakeClock())
    with pytest.raises(MfaError, match="needs one itself"):
        prompt.called(SERIAL)
    assert not prompt._turn.locked()
