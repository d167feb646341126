"""`xsession credential-process`: prints an account's credentials for AWS SDKs, which run it again and again.

So it starts fast: where the store has them, neither boto3 nor click is imported. Only the one JSON object goes to
standard output.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from __future__ import annotations

import gc
import getopt
import os
import re
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import xsession
from xsession._base import frozen
from xsession.credentials import Credentials
from xsession.escape import for_terminal
from xsession.refresh import RefreshPolicy
from xsession.stores import KeptCredentials

from ._exit_status import ExitStatus
from ._streams import close_output, flush_output, require_output

if TYPE_CHECKING:
    from xsession import CrossAccountSession
    from xsession.accounts import Account
    from xsession.events import Event

OPTIONS = ("config=", "profile=", "region=", "min-valid=", "debug")
"""As `getopt` has them: `argparse` takes as long as all of our own modules together."""

NO_INPUT_VARIABLE = "XSESSION_NO_INPUT"
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600}
# What is served where a refresh fails is good for one more request.
_LAST_SECONDS = 60.0


@frozen
class _Options:
    """What the command line says."""

    account: str
    config: str | None
    profile: str | None
    region: str | None
    debug: bool
    min_valid: float | None


def credential_process(arguments: list[str]) -> int:
    """Prints the credentials of an account as one JSON object.

    Args:
        arguments: Those of the command, global options among them.

    Returns:
        The exit status.
    """
    try:
        options = _options(arguments)
    except getopt.GetoptError as error:
        _warn(error.msg)
        _warn("see xsession credential-process --help", indent=True)
        return ExitStatus.USAGE
    try:
        _print(_credentials(options).to_credential_process())
    except xsession.errors.MfaError as error:
        if error.code is None:
            error = error.for_caller()
            error.hint = f"run at a terminal: xsession credential-process {options.account} > {os.devnull}"
        return _failed(error)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 # whoever runs this shows all that we say
        if options.debug:
            import traceback  # noqa: PLC0415 # it takes long, as the others that are imported late

            traceback.print_exc()
        return _failed(error)
    return ExitStatus.OK


def _credentials(options: _Options) -> Credentials:
    # An event says it too, in our words.
    warnings.simplefilter("ignore", xsession.errors.KeyFileWarning)
    found = KeptCredentials.of_machine(options.config, profile_name=options.profile, on_event=_tell_store_problem)
    account = found.accounts.find(options.account)
    kept = found.of(account)
    if kept is not None and _is_enough(kept, options.min_valid):
        return kept
    try:
        return found.or_obtained(
            account,
            lambda: _obtained(found, account, options),
            is_enough=lambda credentials: _is_enough(credentials, options.min_valid),
        )
    except xsession.errors.CredentialsError as error:
        if kept is None or _left(kept) < max(_LAST_SECONDS, options.min_valid or 0.0):
            raise
        _warn(f"served what is kept for {_left(kept):.0f} s more: {error}")
        return kept


def _obtained(found: KeptCredentials, account: Account, options: _Options) -> Credentials:
    gc.enable()
    from xsession import CrossAccountSession  # noqa: PLC0415 # it imports boto3

    # Whoever runs this asks again where little time is left: what is kept is refreshed first.
    policy = RefreshPolicy(advisory=options.min_valid, mandatory=options.min_valid or 43_200.0, jitter=1.0)
    passed: dict[str, Any] = {"mfa_code": _no_input} if _is_unattended(account) else {}
    with CrossAccountSession(
        found.accounts,
        profile_name=options.profile,
        region_name=options.region,
        store=found.store,
        refresh=policy,
        **passed,
    ) as xs:
        return _long_enough(xs, account, options.min_valid)


def _long_enough(xs: CrossAccountSession, account: Account, min_valid: float | None) -> Credentials:
    credentials = xs.get_frozen_credentials(account.name)
    if min_valid is None or _left(credentials) >= min_valid:
        return credentials
    if credentials.lifetime is not None and credentials.lifetime >= min_valid:
        xs.invalidate(account.name)
        credentials = xs.get_frozen_credentials(account.name)
    if _left(credentials) < min_valid:
        msg = f"its credentials are good for {_left(credentials):.0f} s, and --min-valid wants {min_valid:.0f} s"
        hint = "raise the role's duration_seconds, or ask for less"
        raise xsession.errors.CredentialsError(msg, account=account.name, hint=hint)
    return credentials


def _is_enough(credentials: Credentials, min_valid: float | None) -> bool:
    lifetime = credentials.lifetime
    if min_valid is not None or lifetime is None:
        return _left(credentials) >= (min_valid or 0.0)
    return _left(credentials) >= RefreshPolicy(jitter=1.0).windows(lifetime, 1.0).advisory


def _left(credentials: Credentials) -> float:
    ends = credentials.local_expiry
    return float("inf") if ends is None else ends.timestamp() - time.time()


def _is_unattended(account: Account) -> bool:
    has_command = account.defaults is not None and isinstance(account.defaults.mfa_command, tuple)
    return os.environ.get(NO_INPUT_VARIABLE, "") not in ("", "0") and not has_command


def _no_input(serial: str) -> str:
    msg = f"the MFA device {serial} needs a code, and {NO_INPUT_VARIABLE} says that nobody is asked"
    raise xsession.errors.MfaError(msg)


def _options(arguments: list[str]) -> _Options:
    """The options of a command line.

    Raises:
        getopt.GetoptError: It is wrong.
    """
    found, accounts = getopt.gnu_getopt(arguments, "", OPTIONS)
    if len(accounts) != 1:
        msg = "one account is needed" if not accounts else f"one account is needed, and no {accounts[1]}"
        raise getopt.GetoptError(msg)
    given = {name.removeprefix("--"): value for name, value in found}
    seconds = _seconds(given["min-valid"]) if "min-valid" in given else None
    named = given.get("config"), given.get("profile"), given.get("region")
    return _Options(accounts[0], *named, "debug" in given, seconds)


def _seconds(text: str) -> float:
    match = re.fullmatch("([0-9]{1,6})([smh]?)", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= 43_200:
        msg = f"--min-valid {text!r} is no duration such as 900, 30m or 1h, up to 12h"
        raise getopt.GetoptError(msg)
    return float(seconds)


def _print(document: str) -> None:
    require_output()
    try:
        sys.stdout.write(f"{document}\n")
        flush_output()
    except OSError:
        close_output()
        raise


def _failed(error: BaseException) -> int:
    from ._error_words import in_words  # noqa: PLC0415

    message, hint, status = in_words(error, "credential-process ...")
    if not isinstance(error, BrokenPipeError):
        _warn(message)
        if hint is not None:
            _warn(hint, indent=True)
    return int(status)


def _tell_store_problem(event: Event) -> None:
    from ._error_words import store_problem_in_words  # noqa: PLC0415 # there is seldom anything to say

    for number, line in enumerate(store_problem_in_words(event)):
        _warn(line, indent=number > 0)


def _warn(text: str, *, indent: bool = False) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{'  ' if indent else 'xsession: '}{for_terminal(text)}\n")
