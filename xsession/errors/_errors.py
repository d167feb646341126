"""The root of all errors, bad input, and what goes wrong beside requests; warnings."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Self

from xsession._base.lazy import public

_LONGEST_SHOWN = 120


@public
class XSessionError(Exception):
    """Root of all errors of this library; says where it happened and what to do next.

    Args:
        message: What is wrong, in words.
        account: Name of the account that was being reached.
        role_arn: The role whose assumption was under way.
        hop: Its place in the chain, counted from 1; 0 is the source.
        code: AWS's error code, such as "AccessDenied".
        request_id: AWS's request id, which AWS support asks for.
        retryable: Whether the same call may succeed later without a change.
        hint: What to do next.
        note: More about it, such as how often it was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        account: str | None = None,
        role_arn: str | None = None,
        hop: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        hint: str | None = None,
        note: str | None = None,
    ) -> None:
        # Not the next class's in line: botocore's takes no message.
        Exception.__init__(self, message)
        self._words = message
        self.account = account
        self.role_arn = role_arn
        self.hop = hop
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.hint = hint
        self.note = note

    @property
    def message(self) -> str:
        """What is wrong, in words; made of the fields whenever it is asked for."""
        return self._words if self.note is None else f"{self._words}; {self.note}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __str__(self) -> str:
        place = []
        if self.account is not None:
            place.append(f"account {self.account!r}")
        if self.hop is not None:
            place.append(f"hop {self.hop}" if self.hop else "source")
        if self.role_arn is not None:
            place.append(self.role_arn)
        text = f"{', '.join(place)}: {self.message}" if place else self.message
        if self.request_id is not None:
            text += f" (request id {self.request_id})"
        if self.hint is not None:
            text += f"; {self.hint}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # BaseException would rebuild us from `args` alone, which lack the keyword arguments.
        return type(self)._rebuilt, (self.args, dict(self.__dict__))  # noqa: SLF001 # its own

    @classmethod
    def _rebuilt(cls, args: tuple[object, ...], attributes: dict[str, object]) -> Self:
        error = cls.__new__(cls, *args)
        error.args = args
        error.__dict__.update(attributes)
        return error

    def for_caller(self, account: str | None = None) -> Self:
        """A fresh copy for one more caller, with the same cause.

        One exception object raised in many threads would collect all of their tracebacks.

        Args:
            account: The account which that caller asked for; None keeps the one named here.
        """
        fresh = copy.copy(self)
        if account is not None:
            fresh.account = account
        fresh.__cause__ = self.__cause__
        fresh.__suppress_context__ = True
        return fresh


class reaching:  # noqa: N801 # used as a function: `with reaching("vegeta"):`
    """The boundary at which errors learn which account a caller asked for; each caller gets a copy of its own.

    Args:
        account: The account's name; None: nothing is known of it here.
        role_arn: The role of what is done within, for errors that name none.
        hop: Its place in the chain, likewise.
    """

    __slots__ = ("_account", "_hop", "_role_arn")

    def __init__(self, account: str | None = None, *, role_arn: str | None = None, hop: int | None = None) -> None:
        self._account = account
        self._role_arn = role_arn
        self._hop = hop

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, XSessionError):
            fresh = error.for_caller(self._account)
            if fresh.hop is None and self._hop is not None:
                fresh.role_arn, fresh.hop = self._role_arn, self._hop
            # It becomes the context of the copy; the frames that it passed through hold credentials and requests.
            error.__traceback__ = None
            raise fresh


@public
class ConfigError(XSessionError, ValueError):
    """Bad input: a file, an account, an option. Raised before the network.

    Attributes:
        option: The option that is not valid, by the name that the caller knows it by; None: it is about something else.
        value: Its value as messages show it: cut where it is long, "(not shown)" where it is a secret.
        rule: What is valid.
        place: Where the option stands: file, line and key, or the statement of a policy; None: in code.
    """

    option: str | None = None
    value: str | None = None
    rule: str | None = None
    place: str | None = None

    @classmethod
    def invalid(
        cls,
        value: object,
        option: str,
        rule: str,
        *,
        secret: bool = False,
        account: str | None = None,
        role_arn: str | None = None,
        hint: str | None = None,
    ) -> Self:
        """The error of an option whose value breaks a rule.

        Args:
            value: What was given; the error keeps only what it shows of it.
            option: The option's name.
            rule: What is valid.
            secret: Whether the value must not be shown.
            account: As for every error.
            role_arn: Likewise.
            hint: Likewise.
        """
        error = cls("", account=account, role_arn=role_arn, hint=hint)
        error.option, error.value, error.rule = option, "(not shown)" if secret else shown(value), rule
        return error

    @property
    def message(self) -> str:
        """What is wrong, in words; made of the fields whenever it is asked for."""
        words = super().message if self.rule is None else f"{self.option} {self.value} is not valid: {self.rule}"
        return words if self.place is None else f"{self.place}: {words}"

    def within(self, place: str) -> Self:
        """The same error, which says that its place lies within another one."""
        self.place = place if self.place is None else f"{place}: {self.place}"
        return self


@public
class InvalidRoleError(ConfigError):
    """A role or a chain that STS would refuse. Raised before the network."""


@public
class InvalidPolicyError(ConfigError):
    """An IAM policy document that AWS would refuse. Raised before the network."""


@public
class UnknownAccountError(XSessionError, KeyError):
    """No account of that name or id is registered."""


@public
class GrantError(XSessionError):
    """A grant was not made since it could not be written down or was revoked meanwhile, or it was not handed over."""


@public
class RevocationError(XSessionError):
    """Sessions were not revoked: AWS still accepts their keys. Grants have ended in this process all the same."""


@public
class ProvisionError(XSessionError):
    """A role could not be set up, compared or removed: IAM refused, or something stands in the way."""


@public
class OrganizationError(XSessionError):
    """AWS refused or could not be asked which accounts or regions there are; `code` says how."""


@public
class RunError(XSessionError):
    """A function for many accounts could not be called for one of them, or ended; or its run is another's to read."""


@public
class CallTimeoutError(RunError):
    """A call took longer than its time limit; it may still run, and what comes of it is thrown away."""


@public
class WorkerLostError(RunError):
    """The process that made a call died: how far the call came is not known."""


@public
class RemoteCallError(RunError):
    """What a call raised in another process can't be rebuilt in this one; has its class, message and traceback as text.

    Attributes:
        kind: The name of its class.
        traceback_text: Its traceback, redacted.
    """

    kind: str = "Exception"
    traceback_text: str = ""


@public
class CommandError(RunError):
    """A command that was run for an account ended with a status other than 0.

    Attributes:
        returncode: Its exit status; a signal's number, negative, where one ended it.
        stdout: What it wrote to its standard output.
        stderr: What it wrote to its standard error.
        timed_out: Whether it was ended since it took too long.
    """

    timed_out: bool = False
    returncode: int = 1
    stdout: str = ""
    stderr: str = ""


@public
class JournalError(XSessionError):
    """The journal of a run can't be written to or read, is another run's, or has nothing left to do."""


@public
class AuditLogError(XSessionError):
    """The audit log can't be written to or read; what must be written down before it happens did not happen."""


@public
class ActivityError(XSessionError):
    """CloudTrail could not be read in any region that was asked."""


@public
class ChangedFunctionWarning(UserWarning):
    """A journal is gone on with by a function whose code has changed: earlier outcomes are the old code's."""


@public
class FrozenCredentialsWarning(UserWarning):
    """A library was handed credentials that it can't refresh, since it has no other way: they end by themselves."""


@public
class KeyFileWarning(UserWarning):
    """The master key of the store lies in a file, since the machine has no keyring."""


@public
class RefusedAddressWarning(UserWarning):
    """An endpoint has an address that AWS's SDKs don't ask over plain HTTP: only other programs can use it."""


@public
class UnknownRegionWarning(UserWarning):
    """A client would talk to AWS in a region that the installed botocore does not know: mistyped, or very new."""


def shown(value: object) -> str:
    r"""A value as messages show it: its repr in one line of printable characters, cut where it is long.

    Args:
        value: Anything; if its repr raises, the name of its class stands for it.
    """
    # What is cut anyway is not worth the repr of a megabyte. A subclass may have a repr that hides something.
    if type(value) is str or type(value) is bytes:
        value = value[:_LONGEST_SHOWN]
    line = ""
    for part in _repr_parts(value):
        line += part
        if len(line) > _LONGEST_SHOWN:
            break
    line = line[: _LONGEST_SHOWN + 1]
    if not line.isprintable():
        line = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}..."


def _repr_parts(value: object) -> Iterator[str]:
    """The repr of a value piece by piece: of a nested one, nobody waits for what is cut, or for a cycle's end."""
    if type(value) is list and value:
        yield from _joined("[", value, "]")
    elif type(value) is tuple and value:
        yield from _joined("(", value, ")" if len(value) > 1 else ",)")
    elif type(value) is set and value:
        yield from _joined("{", value, "}")
    elif type(value) is frozenset and value:
        yield from _joined("frozenset({", value, "})")
    elif type(value) is dict and value:
        for number, (key, one) in enumerate(value.items()):
            yield ", " if number else "{"
            yield from _repr_parts(key)
            yield ": "
            yield from _repr_parts(one)
        yield "}"
    else:
        try:
            yield repr(value)
        except Exception:  # noqa: BLE001 # a repr that fails must not hide what is wrong with the value
            yield f"<{type(value).__name__}>"


def _joined(start: str, values: Iterable[object], end: str) -> Iterator[str]:
    for number, value in enumerate(values):
        yield ", " if number else start
        yield from _repr_parts(value)
    yield end
