from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    MissingDependencyException,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

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
        (TokenRetrievalError(provider="sso", error_msg="Token has expired"), False, "aws sso login"),
        (MissingDependencyException(msg="the crt"), False, "pip install 'botocore"),
        (CredentialRetrievalError(provider="custom-process", error_msg="run corp-login"), False, "run corp-login"),
        (CredentialRetrievalError(provider="iam-role", error_msg="timeout"), True, "timeout"),
        (MetadataRetrievalError(error_msg="no route"), True, "no route"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), True, "https://x"),
        (exceptions.PartialCredentialsError(provider="p", cred_var="secret"), False, "correct the profile"),
        (exceptions.InvalidConfigError(error_msg="what"), False, "correct the profile"),
        (exceptions.ProfileNotFound(profile="p"), False, "list-profiles"),
        (exceptions.RefreshWithMFAUnsupportedError(), False, "mfa_code="),
        (FileNotFoundError(2, "No such file", "/token"), False, "/token"),
        (OSError(113, "No route to host"), True, "No route to host"),
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


class VaultError(BotoCoreError):
    """One of somebody else's."""

    fmt = "the vault says {said}"


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (RuntimeError("the-secret"), True),
        (OSError("the-secret"), True),
        (FileNotFoundError("the-secret"), False),
        (VaultError(said="the-secret"), True),
        (json.JSONDecodeError("the-secret", "the-secret", 0), False),
    ],
)
def test_somebody_elses_error_is_named_without_its_text(error: Exception, retryable: bool) -> None:
    """A session that a caller made raises what it likes, with a secret in it; its class and its line are said."""
    session: Any = boto3.Session()
    session._session._credentials = Failing(error)
    with pytest.raises(SourceCredentialsError) as caught:
        SourceSession(session).frozen()
    assert "the-secret" not in str(caught.value)
    assert isinstance(error, json.JSONDecodeError) or f"{type(error).__name__} (test_source_session.py:" in str(
        caught.value
    )
    assert caught.value.retryable is retryable
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_what_led_to_botocores_error_is_not_passed_on() -> None:
    """It may be anybody's."""
    error = CredentialRetrievalError(provider="custom", error_msg="no answer")
    error.__cause__ = RuntimeError("the-secret")
    session: Any = boto3.Session()
    session._session._credentials = Failing(error)
    with pytest.raises(SourceCredentialsError, match="no answer") as caught:
        SourceSession(session).frozen()
    assert caught.value.__cause__ is error
    assert error.__cause__ is None


@pytest.mark.skipif(not hasattr(exceptions, "LoginRefreshRequired"), reason="this botocore knows no aws login")
def test_an_ended_login_of_aws_login_says_so() -> None:
    """It has a command of its own."""
    session: Any = boto3.Session()
    session._session._credentials = Failing(exceptions.LoginRefreshRequired())
    with pytest.raises(SourceCredentialsError, match=r"run: aws login$") as caught:
        SourceSession(session).frozen()
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("code", "retryable"),
    [("AccessDenied", False), ("ExpiredToken", False), ("ForbiddenException", False), ("InternalFailure", True)],
)
def test_awss_refusal_of_a_sources_own_role_has_its_code(code: str, *, retryable: bool) -> None:
    """botocore lets it through as it is."""
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"RequestId": "request-1"}}
    session: Any = boto3.Session()
    session._session._credentials = Failing(ClientError(answer, "AssumeRole"))
    with pytest.raises(SourceCredentialsError) as caught:
        SourceSession(session).frozen()
    error = caught.value
    assert (error.code, error.request_id, error.retryable, error.hop) == (code, "request-1", retryable, 0)


def test_what_a_process_printed_is_in_no_error(aws_folder: Path) -> None:
    """Nor in the frames of its cause: it may hold half of a secret."""
    (aws_folder / "config").write_text("[profile p]\ncredential_process = echo the-secret\n")
    with pytest.raises(SourceCredentialsError, match="no JSON") as caught:
        SourceSession("p").frozen()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert not caught.value.retryable
    (aws_folder / "config").write_text("""[profile p]\ncredential_process = echo '{"Version": 2}'\n""")
    with pytest.raises(SourceCredentialsError) as caught:
        SourceSession("p").frozen()
    cause = caught.value.__cause__
    assert cause is not None
    assert cause.__traceback__ is None


def test_the_command_names_the_profile_that_has_the_login(aws_folder: Path) -> None:
    """The one that was asked for may only name a role behind it; "default" is a name like any other."""
    (aws_folder / "config").write_text(
        "[default]\nregion = eu-west-1\nsso_start_url = https://x\n"
        "[profile role]\nrole_arn = arn:aws:iam::222222222222:role/R\nsource_profile = login\n"
        "[profile login]\nsso_session = corp\n"
    )
    for name, words in (("default", "--profile default$"), ("role", "--profile login$"), (None, "aws sso login$")):
        source: Any = SourceSession(name)
        source._credentials = Failing(UnauthorizedSSOTokenError())
        with pytest.raises(SourceCredentialsError, match=words):
            source.frozen()


# Static keys


def test_static_sources_differ_by_all_that_makes_them_differ(aws_folder: Path) -> None:
    """Key id, secret, token, and the STS that is asked; the same ones are one source."""
    (aws_folder / "config").write_text(
        "[profile e]\nendpoint_url = http://e\n[profile fips]\nuse_fips_endpoint = true\n"
    )
    sessions = [
        boto3.Session("test", "test"),
        boto3.Session("test", "other"),
        boto3.Session("other", "test"),
        boto3.Session("test", "test", "token"),
        boto3.Session("test", "test", profile_name="e"),
        boto3.Session("test", "test", profile_name="fips"),
    ]
    assert len({SourceSession(session).identity for session in sessions}) == len(sessions)
    again = boto3.Session("test", "test", region_name="eu-west-1")
    assert SourceSession(again).identity == SourceSession(sessions[0]).identity


def test_no_secret_can_be_guessed_from_an_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in stores and in status: its key is this process's own."""
    session = boto3.Session("AKIAONE", "the-secret")
    identity = SourceSession(session).identity
    assert "AKIAONE" not in identity
    monkeypatch.setattr("xsession._botocore._source_session._digest_key", lambda: b"another process")
    assert SourceSession(session).identity != identity


def test_where_the_endpoint_can_not_be_known_a_source_is_like_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installed botocore has another way of saying it."""

    def fail(_session: object) -> None:
        raise ImportError

    monkeypatch.setattr("xsession._botocore._source_session.named_sts_endpoint", fail)
    session = boto3.Session("test", "test")
    assert SourceSession(session).identity != SourceSession(session).identity


def test_a_profiles_ended_login_names_the_profile(aws_folder: Path) -> None:
    """So that the command can be copied."""
    write(aws_folder, "AKIAONE", "bruce")
    source: Any = SourceSession("bruce")
    source._credentials = Failing(UnauthorizedSSOTokenError())
    with pytest.raises(SourceCredentialsError, match="aws sso login --profile bruce"):
        source.frozen()
