from __future__ import annotations

import math
import pickle
import time

import pytest

from tests.integrations.conftest import Fakes
from tests.support.worlds import World
from xsession import SOURCE, AccountSession
from xsession.integrations._polars import PolarsCredentials

pytestmark = pytest.mark.usefixtures("fakes")


def test_key_secret_token_and_end_are_of_one_moment(vegeta: AccountSession, fakes: Fakes) -> None:
    """And no option holds a secret."""
    arguments = vegeta.data.polars()
    assert fakes.calls == []
    keys, expiry = arguments["credential_provider"]()
    current = vegeta.get_credentials().current()  # type: ignore[attr-defined]
    assert keys == {
        "aws_access_key_id": current.access_key_id,
        "aws_secret_access_key": current.secret_access_key,
        "aws_session_token": current.session_token,
    }
    assert isinstance(expiry, int)
    assert time.time() < expiry < math.floor(current.local_expiry.timestamp())
    assert current.secret_access_key not in repr(arguments)


def test_long_term_keys_have_no_token(world: World) -> None:
    """Nor None, which polars refuses; and an end, which polars takes for never if it is missing."""
    keys, expiry = world.session()[SOURCE].data.polars()["credential_provider"]()
    assert "aws_session_token" not in keys
    assert expiry > time.time()


def test_each_provider_is_another_one_to_polars(world: World) -> None:
    """It keeps stores, and credentials in them, by what the provider's pickle says."""
    with world.aws.applied(world.key):
        session = world.session(session=None, hooks=())["vegeta"]
        first, second = PolarsCredentials(session), PolarsCredentials(session)
        assert pickle.dumps(first) != pickle.dumps(second)
        assert pickle.dumps(pickle.loads(pickle.dumps(first))) == pickle.dumps(first)
        assert repr(first) == f"PolarsCredentials({session!r})"
