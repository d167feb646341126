from __future__ import annotations

import pytest

from xsession.cli._exit_status import ExitStatus, status_of, status_of_many
from xsession.errors import (
    AssumeRoleError,
    ConfigError,
    MfaError,
    SourceCredentialsError,
    STSUnavailableError,
    UnknownAccountError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("wrong"), ExitStatus.USAGE),
        (UnknownAccountError("no such account"), ExitStatus.USAGE),
        (AssumeRoleError("refused", code="AccessDenied"), ExitStatus.REFUSED),
        (AssumeRoleError("too many", code="Throttling"), ExitStatus.FAILED),
        (STSUnavailableError("no answer"), ExitStatus.FAILED),
        (MfaError("no code"), ExitStatus.NEEDS_PERSON),
        (SourceCredentialsError("expired", hint="run: aws sso login --profile corp"), ExitStatus.NEEDS_PERSON),
        (SourceCredentialsError("none", hint="set a profile"), ExitStatus.FAILED),
        (OSError("disk full"), ExitStatus.FAILED),
    ],
    ids=repr,
)
def test_a_script_can_tell_errors_apart(error: Exception, status: ExitStatus) -> None:
    """What the caller must change, what AWS refuses, and what waits for a person have numbers of their own."""
    assert status_of(error) is status


@pytest.mark.parametrize(
    ("failed", "status"), [(0, ExitStatus.OK), (1, ExitStatus.SOME_FAILED), (3, ExitStatus.ALL_FAILED)]
)
def test_some_is_not_all(failed: int, status: ExitStatus) -> None:
    """Of three accounts."""
    assert status_of_many(failed, 3) is status


def test_no_two_ends_share_a_number() -> None:
    """Wrong usage, some failed, all failed and interrupted among them; shells take 126 and 127 for their own."""
    numbers = [status.value for status in ExitStatus.__members__.values()]
    assert len({*numbers}) == len(numbers)
    assert not {*numbers} & {126, 127}
