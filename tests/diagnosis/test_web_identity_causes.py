from __future__ import annotations

import pytest

from xsession.diagnosis._web_identity_causes import web_identity_causes
from xsession.errors import AssumeRoleError, SourceCredentialsError


@pytest.mark.parametrize(
    ("code", "kinds", "certain"),
    [
        ("AccessDenied", ["not-trusted", "role-missing"], False),
        ("AccessDeniedException", ["not-trusted", "role-missing"], False),
        ("ExpiredToken", ["web-identity-token"], True),
        ("ExpiredTokenException", ["web-identity-token"], True),
        ("IDPRejectedClaim", ["web-identity-token"], True),
        ("InvalidIdentityToken", ["web-identity-token"], True),
        ("InternalFailure", ["not-answered"], True),
    ],
)
def test_each_code_has_its_causes(code: str, kinds: list[str], *, certain: bool) -> None:
    """A denial may have two, and nothing says which."""
    causes = web_identity_causes(AssumeRoleError("no", code=code, retryable=True))
    assert [cause.kind for cause in causes] == kinds
    assert {cause.certain for cause in causes} == {certain}


def test_what_has_no_code_is_told_as_it_is() -> None:
    """A token that can't be read says so itself."""
    (cause,) = web_identity_causes(SourceCredentialsError("the file can't be read", hint="look at it"))
    assert (cause.kind, cause.message, cause.hint) == ("other", "the file can't be read", "look at it")
