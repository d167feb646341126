from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from xsession.credentials import Credentials
from xsession.stores._form import from_json, to_json

TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
NAMES = st.none() | st.text()


@given(
    st.builds(
        Credentials,
        access_key_id=st.text(),
        secret_access_key=st.text(),
        session_token=NAMES,
        expiry=TIMES,
        issued_at=TIMES,
        lifetime=st.none() | st.floats(0, 1e6),
        account_id=NAMES,
        arn=NAMES,
        user_id=NAMES,
        source_identity=NAMES,
        request_id=NAMES,
        packed_policy_size=st.none() | st.integers(0, 100),
        region_name=NAMES,
    )
)
def test_credentials_come_back_as_they_were(credentials: Credentials) -> None:
    """Through JSON, with every field that they have."""
    found = from_json(json.loads(json.dumps(to_json(credentials))))
    for item in fields(Credentials):
        assert getattr(found, item.name) == getattr(credentials, item.name)


def test_what_a_newer_version_knows_is_left_out() -> None:
    """As long as the rest is what this one needs."""
    known = Credentials(access_key_id="ASIA1", secret_access_key="s", issued_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert from_json({**to_json(known), "colour": "green"}) == known
