"""Which kind of failure an error is: what a person does about it depends on that."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urlsplit

from xsession._aws import first_region, is_denied, is_throttling, partition_of_region, read_denial, same_code
from xsession.errors import (
    CallTimeoutError,
    CommandError,
    CredentialsTimeoutError,
    MfaError,
    OrganizationError,
    SourceCredentialsError,
    STSUnavailableError,
    WorkerLostError,
)

Category = Literal[
    "refused",
    "needs_person",
    "throttled",
    "region_off",
    "not_in_region",
    "organization_policy",
    "timeout",
    "worker_lost",
    "command_failed",
    "bug",
]
"""refused: AWS's answer was no. needs_person: a login or a code is missing. throttled: AWS gets too many requests.
region_off: the account has not enabled the region. not_in_region: the service has no endpoint there.
organization_policy: a policy of the organization denies it. timeout: no answer in time, or none at all.
worker_lost: the process that made the call died. command_failed: a command ended with another status than 0.
bug: everything else, the function's own errors first of all."""

SKIPPED: frozenset[Category] = frozenset({"region_off", "not_in_region"})
"""Those that are no failures: there is nothing to do in that region."""

PASSING: frozenset[Category] = frozenset({"throttled", "timeout", "worker_lost"})
"""Those that another try may not meet."""

# Enabled in every account, for good: all regions that are older than 20 March 2019.
# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
_ALWAYS_ON = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
        "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
        "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
_REGION_OFF = frozenset({"OptInRequired", "RegionDisabled"})
# What services say of good keys in a region that the account has not enabled.
_UNKNOWN_THERE = frozenset({"AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken"})
_OF_ORGANIZATION = frozenset({"service control", "resource control"})
_MODULES = ("botocore.", "urllib3.", "requests.")
_NO_ANSWER = frozenset(
    {"ConnectTimeoutError", "ReadTimeoutError", "EndpointConnectionError", "ConnectionClosedError", "ConnectionError"}
)
_NO_LOGIN = frozenset(
    {
        "LoginRefreshRequired", "NoCredentialsError", "SSOTokenLoadError", "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)  # fmt: skip
_NO_SUCH_HOST = ("Name or service not known", "nodename nor servname", "getaddrinfo failed", "No address associated")


def category(error: BaseException, region: str | None, resolves: Callable[[str], bool] | None = None) -> Category:
    """The kind of failure that an error is.

    Args:
        error: What was raised.
        region: Where the call was to be made; None: nothing was said of a region.
        resolves: Whether a host name has an address; None: DNS is asked.
    """
    try:
        return _category(error, region, resolves or _resolves)
    except (Exception, SystemExit):  # noqa: BLE001 # the error's own code: its attributes may be anything, or fail
        return "bug"


def _category(error: BaseException, region: str | None, resolves: Callable[[str], bool]) -> Category:
    if isinstance(error, OrganizationError) and error.code is None and error.__cause__ is not None:
        error = error.__cause__  # AWS gave no answer
    if (kind := _of_type(error)) is not None:
        return kind
    code, words = _code_of(error)
    if code is not None:
        return _of_answer(code, words, region)
    if _is_named(error, _NO_ANSWER):
        host = _unknown_host(error)
        return "not_in_region" if host is not None and _lacks(host, region, resolves) else "timeout"
    return "bug"


def _of_type(error: BaseException) -> Category | None:
    if isinstance(error, WorkerLostError):
        return "worker_lost"
    if isinstance(error, CommandError):
        return "timeout" if error.timed_out else "command_failed"
    if isinstance(error, MfaError | SourceCredentialsError) or _is_named(error, _NO_LOGIN):
        return "needs_person"
    if isinstance(error, CallTimeoutError | CredentialsTimeoutError | STSUnavailableError | TimeoutError):
        return "timeout"
    return None


def _of_answer(code: str, words: str, region: str | None) -> Category:
    if is_throttling(code):
        return "throttled"
    code = same_code(code)
    if code in _REGION_OFF or (code in _UNKNOWN_THERE and region is not None and region not in _ALWAYS_ON):
        return "region_off"
    if is_denied(code):
        denial = read_denial(words)
        return "organization_policy" if denial.policy in _OF_ORGANIZATION else "refused"
    return "refused" if code in _UNKNOWN_THERE or code.startswith("ExpiredToken") else "bug"


def _code_of(error: BaseException) -> tuple[str | None, str]:
    """AWS's code and words, of an error of ours or of botocore's."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict) and isinstance(answer.get("Error"), dict):
        code = answer["Error"].get("Code")
        return (None if code is None else str(code)), str(answer["Error"].get("Message", ""))
    code = getattr(error, "code", None)
    return (code if isinstance(code, str) else None), str(error)


def _is_named(error: BaseException, names: frozenset[str]) -> bool:
    # By name: this room imports no botocore.
    return any(cls.__name__ in names and cls.__module__.startswith(_MODULES) for cls in type(error).__mro__)


def _unknown_host(error: BaseException) -> str | None:
    """The host that has no address, where that is why there is no answer."""
    url = str(getattr(error, "kwargs", {}).get("endpoint_url") or "")
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_NONAME:
            return None
        if "NameResolutionError" in type(cause).__name__ or any(words in str(cause) for words in _NO_SUCH_HOST):
            return urlsplit(url).hostname
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]
            more = getattr(one, "kwargs", None)
            waiting += more.values() if isinstance(more, dict) else ()


def _lacks(host: str, region: str | None, resolves: Callable[[str], bool]) -> bool:
    """Whether a service has no endpoint in a region: it has one in the partition's first region, so DNS works."""
    region = region or next((part for part in host.split(".") if part.count("-") >= 2), None)
    first = None if region is None else first_region(partition_of_region(region))
    if region is None or first is None or region not in host or region == first:
        return False
    return not resolves(host) and resolves(host.replace(region, first))


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443)
    except socket.gaierror as error:
        return error.errno not in (socket.EAI_NONAME, errno.ENOENT)
    except OSError:
        return True
    return True
