"""MFA devices over all processes of a machine: one asks at a time, and no code is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from xsession.errors import MfaError, XSessionError
from xsession.stores import SharedStore

_LOOK_SECONDS = 0.25
# A person may take a minute; the prompt of an abandoned terminal stays there for ever.
_LOOKS = 240
# Devices lock after a few wrong codes.
_FAILURE_SECONDS = 5.0
# A code is good for its period and a few around it.
_CODE_SECONDS = 120.0


class SharedDevices:
    """Takes turns with other processes at asking for a device's code.

    Args:
        store: Where they meet.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    @contextmanager
    def turn(self, serial: str, is_done: Callable[[], bool]) -> Iterator[None]:
        """Waits until no other process asks for a code of the device, or what is asked for is there.

        Args:
            serial: The device.
            is_done: Looked at meanwhile; may raise, which ends the wait.
        """
        for _ in range(_LOOKS):
            with ExitStack() as held:
                if held.enter_context(self._store.refreshing(_device(serial), _LOOK_SECONDS)) or is_done():
                    yield
                    return
        yield

    def failure(self, serial: str) -> MfaError | None:
        """Why another process got no right code a moment ago; None: none failed."""
        failure = self._store.failure(_device(serial))
        if failure is None:
            return None
        code, hint = failure.get("code"), failure.get("hint")
        return MfaError(
            f"{failure.get('message')}, in another process a moment ago",
            code=code if isinstance(code, str) else None,
            hint=hint if isinstance(hint, str) else None,
        )

    def share(self, serial: str, error: XSessionError) -> None:
        """Tells other processes that AWS refused codes of the device."""
        if isinstance(error, MfaError) and error.code is not None:
            failure = {"message": error.message, "code": error.code, "hint": error.hint}
            self._store.put_failure(_device(serial), failure, _FAILURE_SECONDS)

    def is_spent(self, serial: str, code: str) -> bool:
        """Whether any process has sent this code; from now on, it counts as sent."""
        key = f"mfa-code {serial} {code}"
        if self._store.failure(key) is not None:
            return True
        self._store.put_failure(key, {"message": "spent"}, _CODE_SECONDS)
        return False


def spent_code(serial: str) -> MfaError:
    """The error of a code that was sent before: AWS takes each once."""
    msg = f"the code of the MFA device {serial} was sent to AWS already, and each works once"
    return MfaError(msg, hint="wait for the device's next code")


def _device(serial: str) -> str:
    return f"mfa-device {serial}"
