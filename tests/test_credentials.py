from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from xsession.credentials import Credentials, Identity

EXPIRY = datetime(2030, 1, 1, 12, tzinfo=UTC)


def credentials(**changes: object) -> Credentials:
    """Temporary ones."""
    values: dict[str, object] = {
        "access_key_id": "ASIAEXAMPLE",
        "secret_access_key": "the-secret",
        "session_token": "the-token",
        "expiry": EXPIRY,
        "account_id": "222222222222",
    }
    return Credentials(**(values | changes))  # type: ignore[arg-type]  # a table of values


def test_the_repr_shows_neither_secret_nor_token() -> None:
    """A credentials object in a log or a traceback gives nothing away."""
    shown = f"{credentials()!r} {credentials()}"
    assert "ASIAEXAMPLE" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown


def test_they_are_not_pickled() -> None:
    """Neither a pickle nor a deep copy carries the secret away."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(credentials())
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(credentials())


def test_environment_variables_of_temporary_credentials() -> None:
    """All that SDKs read; the region under both of its names."""
    assert credentials().environ("eu-west-1") == {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "the-secret",
        "AWS_SESSION_TOKEN": "the-token",
        "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T12:00:00Z",
        "AWS_ACCOUNT_ID": "222222222222",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_the_region_of_the_account_is_the_default() -> None:
    """A caller may name another one; it is no part of who the credentials are."""
    ours = credentials(region_name="eu-central-1")
    assert ours.environ()["AWS_REGION"] == ours.environ()["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert ours.environ("us-east-1")["AWS_REGION"] == "us-east-1"
    assert ours == credentials()


def test_long_term_credentials_have_fewer_variables() -> None:
    """What is not there is left out, and not set to an empty text."""
    plain = credentials(session_token=None, expiry=None, account_id=None)
    assert set(plain.environ()) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_credential_process_document() -> None:
    """One JSON object of version 1 with AWS's names."""
    assert json.loads(credentials().to_credential_process()) == {
        "Version": 1,
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "the-secret",
        "SessionToken": "the-token",
        "Expiration": "2030-01-01T12:00:00Z",
        "AccountId": "222222222222",
    }


def test_they_end_by_the_local_clock() -> None:
    """Where the local clock differs from AWS's, the lifetime counts from the local time of issue."""
    issued = datetime(2030, 1, 1, 15, tzinfo=timezone(timedelta(hours=1)))
    assert credentials(issued_at=issued, lifetime=900.0).local_expiry == issued + timedelta(seconds=900)
    assert credentials(issued_at=issued).local_expiry == EXPIRY
    assert credentials(expiry=None).local_expiry is None


def test_an_identity_is_a_value() -> None:
    """Two answers that say the same are equal."""
    first = Identity(account_id="1" * 12, arn="arn:aws:iam::111111111111:user/bruce", user_id="AIDA")
    assert first == Identity(account_id="1" * 12, arn="arn:aws:iam::111111111111:user/bruce", user_id="AIDA")
