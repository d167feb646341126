from __future__ import annotations

from typing import Any

import pytest

from tests.integrations.conftest import Fakes
from xsession import AccountSession, ConfigError

pytestmark = pytest.mark.usefixtures("fakes")


def test_the_file_system_has_the_accounts_aio_session(vegeta: AccountSession, fakes: Fakes) -> None:
    """And whatever else it is given."""
    made: Any = vegeta.data.s3fs(default_block_size=5)
    assert made == "S3FileSystem()"
    assert fakes.calls == [("S3FileSystem", {"session": "aio of vegeta", "default_block_size": 5})]


def test_options_of_pandas_hold_no_secret(vegeta: AccountSession) -> None:
    """A session, by which they refresh."""
    extra = {"ACL": "bucket-owner-full-control"}
    options = vegeta.data.pandas(s3_additional_kwargs=extra)
    assert options == {"session": "aio of vegeta", "s3_additional_kwargs": extra}


@pytest.mark.parametrize(
    "options",
    [{"anon": True}, {"key": "AKIA"}, {"session": object()}, {"client_kwargs": {"aws_secret_access_key": "secret"}}],
)
def test_other_credentials_are_refused(options: Any, vegeta: AccountSession) -> None:
    """The account says whose are used; it is a ValueError too."""
    with pytest.raises(ConfigError, match="the account says whose credentials are used") as caught:
        vegeta.data.s3fs(**options)
    assert isinstance(caught.value, ValueError)
    assert caught.value.account == "vegeta"
