"""The environment variables that lead AWS's SDKs and tools to credentials.

https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping

CREDENTIAL_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCOUNT_ID",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_CREDENTIAL_FILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)
BEARER_TOKEN_PREFIX = "AWS_BEARER_TOKEN_"  # noqa: S105 # what the names of variables begin with
"""Services that have a token there take it instead of credentials."""


def without_credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, but for those that lead to credentials.

    Args:
        variables: All that a program would have.
    """
    return {
        name: value
        for name, value in variables.items()
        if name not in CREDENTIAL_VARIABLES and not name.startswith(BEARER_TOKEN_PREFIX)
    }
