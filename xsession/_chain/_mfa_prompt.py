"""Where the code of an MFA device comes from: a function, a program, or the person at a notebook or a terminal."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from xsession._aws import is_denied
from xsession._base import Clock, notebook_kernel, renew_after_fork, under_lock, without_text
from xsession.errors import CredentialsError, MfaError, SessionClosedError, XSessionError
from xsession.stores import SharedStore

from ._settings import MfaCode
from ._shared_devices import SharedDevices, spent_code

TERMINAL = "/dev/tty"
NO_INPUT = "XSESSION_NO_INPUT"
"""The variable which says that no person is there, whatever terminal there is."""
COMMAND_SECONDS = 60.0
"""How long a program may take: long enough to touch a key."""
_FAILURE_MEMORY_SECONDS = 5.0
_LOOK_SECONDS = 0.25
_HOW_TO_GIVE = "pass mfa_code=, a function that takes the serial number and returns the code, or mfa_command="


class CodeUse(Protocol):
    """What a code is asked for."""

    serial: str
    key: str

    @property
    def is_done(self) -> bool:
        """Whether no code is needed, or no longer."""

    def check(self) -> None:
        """Refuses where a code could not help, before a person is asked for one."""

    def spend(self, code: str, /) -> None:
        """Spends a code, which works once."""


class MfaPrompt:
    """Asks for codes, for one device after the other.

    Args:
        code: Called with the serial number, in the thread of a caller; None: the command or a person is asked.
        clock: Both clocks.
        shared: Has other processes take turns too, for each device; None: there are none.
    """

    def __init__(self, code: MfaCode | None, clock: Clock, shared: SharedStore | None = None) -> None:
        self._code = code
        self._clock = clock
        self._devices = None if shared is None else SharedDevices(shared)
        self._turn = threading.Lock()
        self._asking: int | None = None
        self._closed = False
        self._failed: dict[str, tuple[XSessionError, float]] = {}
        renew_after_fork(self)

    def ask(
        self,
        use: CodeUse,
        command: Sequence[str] | None,
        *,
        attended: bool = True,
        is_done: Callable[[], bool] | None = None,
    ) -> None:
        """Asks for a code and spends it, unless another caller did while this one waited for its turn.

        Args:
            use: What the code is for.
            command: The program that prints codes, where there is no function.
            attended: Whether the person at the notebook or the terminal may be asked.
            is_done: Returns whether no code is needed any more; None: as the use says.

        Raises:
            MfaError: No right code could be obtained; callers that waited meanwhile get the same error.
            CredentialsError: STS refused or failed.
        """
        if not attended and self._code is None and command is None:
            # Not remembered: what it says to do would get the same answer.
            msg = f"the MFA device {use.serial} needs a code, and nobody is asked for one in an event loop"
            hint = "call warm() of the session first, outside of the loop; or pass mfa_code= or mfa_command="
            raise MfaError(msg, hint=hint)
        is_done = (lambda: use.is_done) if is_done is None else is_done
        with under_lock(), self._turn_to_ask(use.serial), self._turn_of_device(use.serial, is_done):
            if is_done():
                return
            error, until = self._failed.get(use.key, (None, 0.0))
            if error is None or self._clock.boot() >= until:
                error = self._told_elsewhere(use.serial) or self._problem(use, command)
                if error is None:
                    self._failed.pop(use.key, None)
                    return
                self._failed[use.key] = (error, self._clock.boot() + _FAILURE_MEMORY_SECONDS)
        # Raised here, where no frame of its traceback has the code.
        raise error.for_caller()

    def called(self, serial: str) -> str:
        """The code that the function gives; no command is run, and no person is asked.

        Raises:
            MfaError: There is no function, it failed, or its answer is not a code.
        """
        if self._code is None:
            msg = f"the MFA device {serial} needs a code, and there is no function to ask for it"
            raise MfaError(msg, hint="pass mfa_code=, a function that takes the serial number and returns the code")
        with self._turn_to_ask(serial):
            return ask_for_code(serial, self._code, None)

    def close(self) -> None:
        """Asks for no code any more; whoever waits for its turn is told so."""
        self._closed = True

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._turn = threading.Lock()
        self._asking = None

    @contextmanager
    def _turn_to_ask(self, serial: str) -> Iterator[None]:
        # Not re-entrant: the function that gives codes would be called by itself, again and again.
        here = threading.get_ident()
        if self._asking == here:
            msg = f"the function that gives codes of the MFA device {serial} needs one itself"
            raise MfaError(msg, hint="let it use clients of accounts that need no MFA")
        self._check_open()
        while not self._turn.acquire(timeout=_LOOK_SECONDS):
            self._check_open()
        try:
            self._asking = here
            self._check_open()
            yield
        finally:
            self._asking = None
            self._turn.release()

    def _turn_of_device(self, serial: str, is_done: Callable[[], bool]) -> AbstractContextManager[object]:
        if self._devices is None:
            return nullcontext()

        def look() -> bool:
            self._check_open()
            return is_done()

        return self._devices.turn(serial, look)

    def _told_elsewhere(self, serial: str) -> XSessionError | None:
        return None if self._devices is None else self._devices.failure(serial)

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosedError.closed()

    def _problem(self, use: CodeUse, command: Sequence[str] | None) -> XSessionError | None:
        # Why no code could be spent, with no traceback, whose frames would keep the code; None: one was.
        try:
            use.check()
            self._spend(use, command)
        except XSessionError as error:
            if self._devices is not None:
                self._devices.share(use.serial, error)
            cause = error.__cause__
            if isinstance(cause, XSessionError):
                cause.__traceback__ = None
            return error.for_caller()
        return None

    def _spend(self, use: CodeUse, command: Sequence[str] | None) -> None:
        # Mistyped, or replaced by the next one meanwhile? A second wrong one is an error: devices lock after a few.
        refused: CredentialsError | None = None
        for last in (False, True):
            code = ask_for_code(use.serial, self._code, command)
            self._check_open()
            if self._devices is not None and self._devices.is_spent(use.serial, code):
                if refused is not None:
                    msg = f"the code of the MFA device {use.serial} was wrong"
                    raise _wrong(msg, refused) from refused
                if last:
                    raise spent_code(use.serial)
                continue
            try:
                use.spend(code)
            except CredentialsError as error:
                if not _was_wrong(error):
                    raise
                if last:
                    msg = f"two codes of the MFA device {use.serial} were wrong"
                    raise _wrong(msg, error) from error
                refused = error.for_caller()  # without the frames, which have the code
            else:
                return


def ask_for_code(serial: str, function: MfaCode | None, command: Sequence[str] | None) -> str:
    """The code of a device: of the function, else the program, else a person at the notebook or the terminal.

    Args:
        serial: The device.
        function: Called with the serial number; returns six digits.
        command: A program and its arguments; `{serial}` in them stands for the device.

    Raises:
        MfaError: There is no way to ask, asking failed, or the answer is not a code.
    """
    if function is not None:
        answer: object = _called(function, serial)
    elif command is not None:
        answer = _code_in(_printed([part.replace("{serial}", serial) for part in command]), command[0])
    else:
        answer = _typed(serial)
    if not isinstance(answer, str) or not re.fullmatch("[0-9]{6}", answer):
        msg = f"the code of the MFA device {serial} is not six digits"
        raise MfaError(msg)
    return answer


def _called(function: MfaCode, serial: str) -> object:
    try:
        return function(serial)
    except XSessionError:
        raise
    except Exception as error:  # noqa: BLE001 # the user's own function raises what it wants
        msg = f"asking for the code of the MFA device {serial} failed: {without_text(error)}"
    # Raised here, outside of the handler: that exception, and its frames, may hold a code.
    raise MfaError(msg)


def _printed(command: Sequence[str]) -> str:
    # Its standard error goes to ours: some programs say there that the device must be touched.
    try:
        done = subprocess.run(  # noqa: S603 # the user's own command, run without a shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        problem = f"took longer than {COMMAND_SECONDS:.0f} s"
    except OSError as error:
        problem = f"could not be run: {error.strerror}"
    else:
        if done.returncode == 0:
            return done.stdout.decode("ascii", "replace").strip()
        problem = f"ended with {done.returncode}"
    # Raised here, outside of the handlers: the exception of a timeout holds what was printed.
    msg = f"mfa_command {command[0]!r} {problem}"
    raise MfaError(msg)


def _code_in(printed: str, program: str) -> str:
    # Programs print other words around it. Of two, none is known to be the right one, and devices lock after a few.
    codes = re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", printed)
    if len(codes) == 1:
        return str(codes[0])
    msg = f"mfa_command {program!r} should print one code of six digits, and printed {len(codes) or 'none'}"
    raise MfaError(msg)


def _typed(serial: str) -> str:
    if os.environ.get(NO_INPUT, "0") not in {"", "0"}:
        msg = f"the MFA device {serial} needs a code, and {NO_INPUT} says that nobody is asked"
        raise MfaError(msg, hint=_HOW_TO_GIVE)
    # A kernel asks on the notebook's page.
    ask = getattr(notebook_kernel(), "getpass", None) or (getpass.getpass if _at_terminal() else None)
    if ask is None:
        msg = f"the MFA device {serial} needs a code, and there is no way to ask for it"
        raise MfaError(msg, hint=_HOW_TO_GIVE)
    try:
        return ask(f"Code of the MFA device {serial}: ").strip()
    except (EOFError, NotImplementedError) as error:  # the second: a notebook without a person
        msg = f"the MFA device {serial} needs a code, and none was given"
        raise MfaError(msg, hint=_HOW_TO_GIVE) from error


def _at_terminal() -> bool:
    if os.name == "nt":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        terminal = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        # A job in the background would be stopped.
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _wrong(message: str, error: CredentialsError) -> MfaError:
    hint = "check that it is this device, and wait for the next code: each works once"
    return MfaError(message, code=error.code, request_id=error.request_id, hint=hint)


def _was_wrong(error: CredentialsError) -> bool:
    return is_denied(error.code) and "one time pass code" in error.message
