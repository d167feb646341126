from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import SSOTokenLoadError, UnauthorizedSSOTokenError

from xsession import SourceCredentialsError
from xsession._botocore._source_session import SourceSession


def write(aws_folder: Path, key_id: str, profile: str = "default") -> None:
    """Writes a profile's key."""
    (aws_folder / "credentials").write_text(f"[{profile}]\naws_access_key_id = {key_id}\naws_secret_access_key = s\n")


def test_two_sources_never_have_one_identity() -> None:
    """Neither at once nor one after the other."""
    session = boto3.Session()
    assert SourceSession(session).identity != SourceSession(session).identity


def test_a_profile_is_read_by_its_name(aws_folder: Path) -> None:
    """With the region that it is given."""
    write(aws_folder, "AKIAONE", "bruce")
    source = SourceSession("bruce", region_name="eu-north-1")
    assert source.frozen().access_key == "AKIAONE"
    assert source.region_name == "eu-north-1"


@pytest.mark.parametrize("profile", [None, "default", "bruce"])
def test_rejected_keys_are_looked_for_in_the_files_again(aws_folder: Path, profile: str | None) -> None:
    """The default chain's and a profile's; there are others, or there are not."""
    write(aws_folder, "AKIAONE", profile or "default")
    source = SourceSession(profile)
    source.frozen()
    assert not source.rejected("AKIAONE")
    write(aws_folder, "AKIATWO", profile or "default")
    assert source.rejected("AKIAONE")
    assert source.frozen().access_key == "AKIATWO"
    assert source.rejected("AKIAONE")  # there are others already


def test_a_sessions_keys_are_not_looked_for_elsewhere(aws_folder: Path) -> None:
    """A session that was passed is the one that was meant."""
    write(aws_folder, "AKIATWO")
    source = SourceSession(boto3.Session("AKIAONE", "s"))
    assert not source.rejected("AKIAONE")


class Failing:
    """Credentials whose refresh fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_frozen_credentials(self) -> None:
        """Fails."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "retryable", "words"),
    [
        (UnauthorizedSSOTokenError(), False, "aws sso login"),
        (SSOTokenLoadError(error_msg="gone"), False, "aws sso login"),
        (OSError("no route"), True, "OSError: no route"),
        (RuntimeError("still expired"), True, "still expired"),
    ],
)
def test_a_refresh_that_fails_is_our_error(error: Exception, retryable: bool, words: str) -> None:
    """Whatever it raises; an ended login says which command begins a new one."""
    session: Any = boto3.Session()
    session._session._credentials = Failing(error)
    with pytest.raises(SourceCredentialsError) as caught:
        SourceSession(session).frozen()
    assert caught.value.retryable is retryable
    assert words in str(caught.value)
    assert caught.value.__cause__ is error


def test_a_profiles_ended_login_names_the_profile(aws_folder: Path) -> None:
    """So that the command can be copied."""
    write(aws_folder, "AKIAONE", "bruce")
    source: Any = SourceSession("bruce")
    source._credentials = Failing(UnauthorizedSSOTokenError())
    with pytest.raises(SourceCredentialsError, match="aws sso login --profile bruce"):
        source.frozen()
