from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xsession._aws._credential_variables import BEARER_TOKEN_PREFIX, CREDENTIAL_VARIABLES, without_credentials

NAMES = st.sampled_from([*sorted(CREDENTIAL_VARIABLES), f"{BEARER_TOKEN_PREFIX}BEDROCK"])
OTHERS = st.sampled_from(["PATH", "AWS_REGION", "AWS_CA_BUNDLE", "AWS_BEARER", "AWS_PROFILES"])


@given(st.dictionaries(NAMES, st.text()), st.dictionaries(OTHERS, st.text()))
def test_what_leads_to_credentials_is_taken_out(named: dict[str, str], others: dict[str, str]) -> None:
    """And all else stays as it is."""
    assert without_credentials({**named, **others}) == others


def test_keys_profiles_roles_and_tokens_are_among_them() -> None:
    """By AWS's own names."""
    named = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_BEARER_TOKEN_BEDROCK")
    assert without_credentials(dict.fromkeys(named, "x")) == {}
