from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.terminals import CTRL_C, CTRL_Z, Terminal
from tools.project import ROOT
from xsession.cli._child_process import CommandNotRunError, Program, SignalQueue

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")

# A wrapper around whatever command follows; it ends as exec does, and says nothing of its own.
WRAP = """
import os, sys
from xsession.cli._child_process import Program, end_as, run_child
ended = run_child(Program.find(sys.argv[1:], os.environ))
sys.exit(end_as(ended))
"""
WRAPPED = [sys.executable, "-c", WRAP]
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}
PYTHON = [*WRAPPED, sys.executable, "-uc"]


def ran(*command: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """A wrapped command that has run to its end."""
    return subprocess.run([*WRAPPED, *command], env=ENVIRON, capture_output=True, check=False, timeout=30, **options)  # type: ignore[call-overload,no-any-return]


def started(code: str, **options: object) -> subprocess.Popen[bytes]:
    """A wrapped Python which has said that it is there, in a line."""
    child = subprocess.Popen([*PYTHON, code], env=ENVIRON, stdout=subprocess.PIPE, **options)  # type: ignore[call-overload]
    assert child.stdout.readline() == b"ready\n"
    return child  # type: ignore[no-any-return]


@pytest.mark.parametrize("status", [0, 1, 7, 127, 255])
def test_the_status_is_the_childs(status: int) -> None:
    """And nothing is added to what it prints."""
    done = ran("sh", "-c", f"echo out; echo err >&2; exit {status}")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"out\n", b"err\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL", "SIGSEGV", "SIGHUP", "SIGPIPE", "SIGQUIT", "SIGUSR1"])
def test_a_signal_that_ends_the_child_ends_the_wrapper(tmp_path: Path, name: str) -> None:
    """Callers see what they would see without it; and it leaves no core file of its own."""
    number = getattr(signal, name)
    assert ran("sh", "-c", f"ulimit -c 0; kill -{number.value} $$", cwd=tmp_path).returncode == -number
    assert list(tmp_path.iterdir()) == []
    script = '"$@"; echo $?'
    shown = subprocess.run(
        ["sh", "-c", script, "sh", *WRAPPED, "sh", "-c", f"kill -{number.value} $$"],
        env=ENVIRON,
        capture_output=True,
        check=False,
        timeout=30,
    )
    if name != "SIGINT":  # shells end with a child that was interrupted
        assert shown.stdout == f"{128 + number}\n".encode()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT", "SIGCONT"])
def test_a_signal_to_the_wrapper_alone_reaches_the_child(name: str) -> None:
    """Once; what it does then, and when it ends, is up to the child. There is no terminal that could send them."""
    child = started(
        "import signal, sys, time\n"
        "got = []\n"
        f"signal.signal(signal.{name}, lambda number, _frame: got.append(number))\n"
        "print('ready')\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "print(len(got)); sys.exit(3)",
        start_new_session=True,
    )
    child.send_signal(getattr(signal, name))
    assert child.communicate(timeout=30)[0] == b"1\n"
    assert child.returncode == 3


def test_a_signal_that_is_ignored_outside_is_ignored_inside() -> None:
    """As `nohup` wants it."""
    script = 'trap "" HUP; exec "$@"'
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    done = subprocess.run(
        ["sh", "-c", script, "sh", *PYTHON, code], env=ENVIRON, capture_output=True, check=True, timeout=30
    )
    assert done.stdout == b"True\n"


def test_the_child_gets_no_signal_handling_of_ours() -> None:
    """Nothing is blocked, and nothing ignored that Python ignores: a pipe that is closed ends a writer."""
    show = ["sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status"]
    outside = subprocess.run(show, capture_output=True, check=True).stdout
    masks = [[int(line.split()[1], 16) for line in text.splitlines()] for text in (outside, ran(*show).stdout)]
    # glibc's own two signals aside, of which no program hears.
    masks = [[mask & ~(0b11 << 31) for mask in each] for each in masks]
    assert masks[0] == masks[1]


def test_a_program_of_a_pipeline_that_ends_early_is_no_error() -> None:
    """The writer is ended by SIGPIPE, quietly."""
    script = '"$@" | head -1'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *WRAPPED, "yes"], env=ENVIRON, capture_output=True, check=True, timeout=30
    )
    assert (done.stdout, done.stderr) == (b"y\n", b"")


def test_a_command_is_found_as_a_shell_finds_it(tmp_path: Path) -> None:
    """By PATH, or by its own path; with the status that shells give to what can't be run."""
    file = tmp_path / "tool"
    file.write_text("echo 'from a script without its first line' \"$1\"\n")
    file.chmod(0o644)
    for name in (str(file), "tool"):
        with pytest.raises(CommandNotRunError, match="Permission denied") as caught:
            Program.find([name], {"PATH": str(tmp_path)})
        assert caught.value.exit_code == 126
    for name in (str(tmp_path / "none"), "none", ""):
        with pytest.raises(CommandNotRunError, match="command not found") as caught:
            Program.find([name], {"PATH": str(tmp_path)})
        assert caught.value.exit_code == 127
    with pytest.raises(CommandNotRunError):
        Program.find([str(tmp_path)], {})
    file.chmod(0o755)
    assert Program.find(["tool"], {"PATH": str(tmp_path)}).path == str(file)
    assert ran(str(file), "a b").stdout == b"from a script without its first line a b\n"


def test_what_can_not_be_started_after_all_is_said(tmp_path: Path) -> None:
    """A script whose interpreter is missing."""
    file = tmp_path / "tool"
    file.write_text("#!/no/such/interpreter\n")
    file.chmod(0o755)
    code = f"""
import os, sys
from xsession.cli._child_process import CommandNotRunError, Program, replace_process, run_child
for run in (run_child, replace_process):
    try:
        run(Program.find([{str(file)!r}], os.environ))
    except CommandNotRunError as error:
        print(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRON, capture_output=True, check=True)
    assert done.stdout == b"127\n127\n"


def test_variables_are_in_no_repr() -> None:
    """They may be keys."""
    assert "hush" not in repr(Program(path="/bin/sh", argv=("sh",), variables={"AWS_SECRET_ACCESS_KEY": "hush"}))


def test_no_signal_is_lost_between_two_looks() -> None:
    """They are kept in order from the moment on that the queue is there; then all is as before."""
    before = signal.getsignal(signal.SIGUSR1)
    with SignalQueue(["SIGUSR1", "SIGUSR2", "SIGNONE"]) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert signals.wait() == bytes([signal.SIGUSR1, signal.SIGUSR2])
    assert signal.getsignal(signal.SIGUSR1) is before


def test_the_end_of_another_child_is_not_the_childs() -> None:
    """A source's own process may end meanwhile."""
    code = """
import os, subprocess, sys, threading
from xsession.cli._child_process import Program, run_child
def others():
    for _ in range(20):
        subprocess.run(["true"], check=True)
    os.write(1, b"others\\n")
threading.Thread(target=others).start()
print(run_child(Program.find(["sh", "-c", "sleep 1; exit 5"], os.environ)), flush=True)
"""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRON, capture_output=True, check=True, timeout=30)
    assert done.stdout == b"others\n5\n"


def test_what_the_child_leaves_behind_is_not_waited_for() -> None:
    """The wrapper ends with the child, though a grandchild still holds its output."""
    began = time.monotonic()
    done = subprocess.run(
        [*WRAPPED, "sh", "-c", "sleep 5 & exit 4"],
        env=ENVIRON,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    assert done.returncode == 4
    assert time.monotonic() - began < 4


# At a terminal


def test_ctrl_c_reaches_the_child_once() -> None:
    """Then its own end counts, and nobody is left behind."""
    code = (
        "import signal, sys, time\n"
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready')\n"
        "while not got: time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        "print('got', len(got)); sys.exit(3)"
    )
    with Terminal([*PYTHON, code], ENVIRON) as terminal:
        terminal.wait_for(b"ready")
        terminal.type(CTRL_C)
        terminal.wait_for(b"got 1")
        assert terminal.ended() == 3


def test_a_child_may_go_on_after_ctrl_c() -> None:
    """It still reads the terminal, and the wrapper has not returned."""
    code = (
        "import sys\n"
        "while True:\n"
        "    try:\n"
        "        print('read', input('> ')); sys.exit(0)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')"
    )
    with Terminal([*PYTHON, code], ENVIRON) as terminal:
        for _ in range(3):
            terminal.wait_for(b"> ")
            time.sleep(SETTLED)
            terminal.type(CTRL_C)
            terminal.wait_for(b"interrupted")
        terminal.type(b"the next line\n")
        terminal.wait_for(b"read the next line")
        assert terminal.ended() == 0


OUTER = {**ENVIRON, "PS1": "outer> ", "TERM": "dumb"}
# Until a child that has just said so reads the terminal: Python sees signals between its own steps.
SETTLED = 0.3
SHELL = ["bash", "--norc", "--noprofile", "-i"]


def quoted(command: list[str]) -> bytes:
    """A command as a shell reads it."""
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in command).encode()


def at_a_shell(terminal: Terminal, command: list[str]) -> None:
    """Types a command at a prompt."""
    terminal.wait_for(b"outer> ")
    terminal.type(b"stty -echo\n")
    terminal.wait_for(b"outer> ")
    terminal.type(quoted(command) + b"\n")


def has_stopped(terminal: Terminal) -> None:
    """Waits until the shell outside has said so and has its prompt again."""
    terminal.wait_for(b"Stopped")
    terminal.wait_for(b"outer> ")
    # What is typed while the shell takes the terminal may be lost.
    time.sleep(SETTLED)


@pytest.mark.parametrize("stops", ["by the terminal", "by itself"])
def test_ctrl_z_stops_both(stops: str) -> None:
    """The shell outside has its prompt again; with `fg`, both go on. Pagers stop themselves alone."""
    code = (
        "import os, signal, sys\n"
        "def stop(*_):\n"
        "    signal.signal(signal.SIGTSTP, signal.SIG_DFL)\n"
        "    os.kill(os.getpid(), signal.SIGTSTP)\n"
        "signal.signal(signal.SIGTSTP, stop) if sys.argv[1] == 'by itself' else None\n"
        "print('read', input('ready '))"
    )
    with Terminal(SHELL, OUTER) as terminal:
        at_a_shell(terminal, [*PYTHON, code, stops])
        terminal.wait_for(b"ready")
        time.sleep(SETTLED)
        terminal.type(CTRL_Z)
        has_stopped(terminal)
        terminal.type(b"ps -o stat= $(jobs -p) $(pgrep -P $(jobs -p)) | cut -c1 | tr -d '\\n'; echo :\n")
        terminal.wait_for(b"TT:")
        terminal.type(b"fg\n")
        terminal.type(b"more\n")
        terminal.wait_for(b"read more")
        terminal.wait_for(b"outer> ")


def test_a_child_that_stops_itself_alone_stops_both() -> None:
    """As pagers and editors do; the shell outside would wait for ever otherwise."""
    with Terminal(SHELL, OUTER) as terminal:
        at_a_shell(terminal, [*WRAPPED, "sh", "-c", "kill -TSTP $$; echo went o''n"])
        has_stopped(terminal)
        terminal.type(b"fg\n")
        terminal.wait_for(b"went on")
        terminal.wait_for(b"outer> ")


def test_a_job_in_the_background_is_stopped_and_goes_on(tmp_path: Path) -> None:
    """By the signals that a shell's `kill %1` sends to the whole job."""
    os.mkfifo(tmp_path / "more")
    with Terminal(SHELL, OUTER) as terminal:
        script = f"echo begun; read word < {tmp_path}/more; echo went $word; exit 4"
        at_a_shell(terminal, [*WRAPPED, "sh", "-c", script])
        terminal.wait_for(b"begun")
        terminal.type(CTRL_Z)
        has_stopped(terminal)
        states = b"ps -o stat= $(jobs -p) $(pgrep -P $(jobs -p)) | cut -c1 | tr -d '\\n'; echo :\n"
        for _ in range(2):
            terminal.type(b"kill -CONT %1\n")
            terminal.wait_for(b"outer> ")
            time.sleep(SETTLED)
            terminal.type(states)
            terminal.wait_for(b"SS:")
            # The shell says so when it knows, which may be in the middle of the next command.
            terminal.type(b"kill -STOP %1\n")
            terminal.wait_for(b"outer> ")
            time.sleep(SETTLED)
            terminal.type(states)
            terminal.wait_for(b"TT")
            terminal.wait_for(b"outer> ")
        terminal.type(b"kill -CONT %1; echo on > " + quoted([str(tmp_path / "more")]) + b"; wait %1; echo =$?=\n")
        terminal.wait_for(b"went on")
        terminal.wait_for(b"=4=")


def test_a_shell_inside_may_be_suspended() -> None:
    """It has a process group of its own, and gives the terminal back when it stops."""
    with Terminal(SHELL, OUTER) as terminal:
        at_a_shell(terminal, [*WRAPPED, "env", "PS1=inner> ", *SHELL])
        terminal.wait_for(b"inner> ")
        terminal.type(b"suspend\n")
        has_stopped(terminal)
        terminal.type(b"fg\n")
        terminal.type(b"echo in'side'\n")
        terminal.wait_for(b"inside")
        terminal.wait_for(b"inner> ")
        terminal.type(b"sleep 30\n")
        time.sleep(SETTLED)
        terminal.type(CTRL_C)
        terminal.wait_for(b"inner> ")
        terminal.type(b"exit 5\n")
        terminal.wait_for(b"outer> ")
        terminal.type(b"echo =$?=\n")
        terminal.wait_for(b"=5=")


def test_a_child_in_raw_mode_gets_ctrl_z_as_a_byte() -> None:
    """It is not stopped, nor is the wrapper."""
    code = "import os, tty; tty.setraw(0); print('ready'); print(os.read(0, 1))"
    with Terminal([*PYTHON, code], ENVIRON) as terminal:
        terminal.wait_for(b"ready")
        terminal.type(CTRL_Z)
        terminal.wait_for(b"b'\\x1a'")
        assert terminal.ended() == 0


def test_a_child_that_is_stopped_from_elsewhere_is_still_served() -> None:
    """Without a terminal there is no shell that would have us go on: whoever stops the child continues it."""
    child = started("import time; print('ready'); time.sleep(0.5); print('done')", start_new_session=True)
    inner = int(subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, check=True).stdout)
    os.kill(inner, signal.SIGSTOP)
    time.sleep(0.2)
    assert Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    # To the wrapper alone, as supervisors do that know no other process.
    os.kill(child.pid, signal.SIGCONT)
    assert child.communicate(timeout=30)[0] == b"done\n"
