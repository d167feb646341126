from __future__ import annotations

import io
import json
import logging
import string
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import VEGETA, World
from xsession.redaction import RedactingFilter, redacted

SECRET = st.text(string.ascii_letters + string.digits + "+/=", min_size=8, max_size=60)


@pytest.mark.parametrize(
    "form",
    [
        "<SecretAccessKey>{}</SecretAccessKey>",
        "<SessionToken>{}</SessionToken>",
        '"SecretAccessKey": "{}", "Expiration"',
        "{{'SessionToken': '{}', 'Expiration': datetime}}",
        'b\'{{"secretAccessKey":"{}"}}\'',
        '{{\\"sessionToken\\": \\"{}\\"}}',
        '"accessToken":"{}"',
        "'refreshToken': '{}'",
        "'clientSecret': '{}'",
        '"Token" : "{}"',
        "Action=AssumeRole&TokenCode={}&Version=2011-06-15",
        "WebIdentityToken={}&RoleArn=",
        "'ExternalId': '{}'",
        "x-amz-security-token:{}\n\nhost;x-amz-date",
        "'X-Amz-Security-Token': b'{}', 'Authorization'",
        "https://bucket/key?X-Amz-Security-Token={}&X-Amz-Date=",
        "&X-Amz-Signature={}",
        "aws_secret_access_key = {}",
        "aws_session_token={}",
        "Authorization: Bearer {}",
        "x-amz-sso_bearer_token: {}",
        "<SecretAccessKey>\n  {}</SecretAccessKey>",
        "<ns1:SessionToken>{}</ns1:SessionToken>",
        "'deviceCode': '{}'",
        "http://user:{}@proxy:3128",
        "password={}",
    ],
)
@given(secret=SECRET)
def test_a_secret_is_masked_in_every_form(form: str, secret: str) -> None:
    """XML, JSON, forms, headers, URLs, Python's repr; the rest stays."""
    assert redacted(form.format(secret)) == form.format("****")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'{"SecretAccessKey":"abcd\/REST/OF+THE/SECRET"}', '{"SecretAccessKey":"****"}'),
        (r'{"SessionToken":"IQoJ\u003dREST"}', '{"SessionToken":"****"}'),
        (r'{"SessionToken":"a\"REST"}', '{"SessionToken":"****"}'),
        (r"SessionToken=IQoJ\u003dREST&Action=x", "SessionToken=****&Action=x"),
        ('{"SecretAccessKey":"cut off he', '{"SecretAccessKey":"****'),
        (r"{\"SecretAccessKey\": \"a b\nREST\"}", r"{\"SecretAccessKey\": \"****\"}"),
        ("'SessionToken': 'two words, REST'", "'SessionToken': '****'"),
        ("<SessionToken>cut", "<SessionToken>****"),
        ("https://bruce:a:REST@host/path", "https://bruce:****@host/path"),
    ],
)
def test_a_value_is_masked_to_its_end(text: str, shown: str) -> None:
    """Over escapes, quotes in quotes and line breaks, and where its end was cut off."""
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text", ["token" * 20_000, 'token="' * 20_000, "token=" + "\\" * 100_000, "://" + ":" * 100_000, "://a:" * 20_000]
)
def test_hostile_text_is_gone_through_once(text: str) -> None:
    """Whoever writes into a log must not hold it up; a test that hangs has failed."""
    assert redacted(text)


def test_a_log_call_never_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither where arguments do not fit the message, nor where they have no repr; secrets are masked all the same."""

    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

        __repr__ = __str__

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("application")
    logger.addHandler(handler)
    try:
        logger.warning("%d items", "SessionToken=abcdefgh")
        logger.warning("%s", UnspeakableError())
        logger.warning("%d", UnspeakableError())
        try:
            raise UnspeakableError  # noqa: TRY301 # it is its traceback that is logged
        except UnspeakableError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
    assert "SessionToken=****" in stream.getvalue()
    assert "abcdefgh" not in stream.getvalue() + capsys.readouterr().err


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    """Several handlers may have the filter."""
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "the token has expired",
        "InvalidToken: no",
        "Found credentials in shared credentials file: ~/.aws/credentials",
        '{"AccessKeyId": "ASIAEXAMPLE", "NextTokenRequired": 1}',
        "SessionToken: ",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    """Words are no secrets."""
    assert redacted(text) == text


def test_a_record_is_redacted_with_its_traceback() -> None:
    """Message, arguments, exception and stack."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("application")
    logger.addHandler(handler)
    try:
        int("SessionToken=abcdefgh")
    except ValueError:
        logger.exception("body %s", json.dumps({"SecretAccessKey": "topsecret"}), stack_info=True)
    finally:
        logger.removeHandler(handler)
    assert "topsecret" not in stream.getvalue()
    assert "abcdefgh" not in stream.getvalue()
    assert stream.getvalue().count("****") >= 2


def test_with_the_filter_no_source_and_no_request_shows_a_secret(world: World) -> None:
    """botocore assumes a profile's role itself, and sends the application's requests, all at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    level = root.level
    world.aws.write_profiles(
        f"[profile keys]\naws_access_key_id = {world.key.access_key_id}\n"
        f"aws_secret_access_key = {world.key.secret_access_key}\n"
        f"[profile vegeta]\nrole_arn = {world.role}\nsource_profile = keys\nexternal_id = shared-secret\n"
    )
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with world.aws.applied():
            session = boto3.Session(profile_name="vegeta")
            assert session.client("sts").get_caller_identity()["Account"] == VEGETA
            credentials = session.get_credentials()
            assert credentials is not None
            frozen = credentials.get_frozen_credentials()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    log = stream.getvalue()
    assert "AssumeRole" in log
    secrets = (world.key.secret_access_key, frozen.secret_key, frozen.token, "shared-secret")
    assert [secret for secret in secrets if str(secret) in log] == []


def test_what_has_no_traceback_is_logged() -> None:
    """A log call must not fail over what it was given as an exception."""
    broken: Any = (ValueError,)
    record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", None, broken)
    assert RedactingFilter().filter(record)
    assert (record.exc_info, record.exc_text) == (None, "a traceback that can't be shown")
