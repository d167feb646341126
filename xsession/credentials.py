"""Credentials as a value, and the two forms in which other programs take them."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import datetime, timedelta

from ._aws import iso
from ._base import frozen

__all__ = ["Credentials", "Identity"]


@frozen(kw_only=True)
class Credentials:
    """What a request is signed with, whose it is, and how to find it again in CloudTrail.

    The repr shows neither the secret nor the token.

    Args:
        access_key_id: The key id: AKIA... for long-term keys, ASIA... for temporary ones.
        secret_access_key: The secret.
        session_token: The token of temporary credentials.
        expiry: When AWS ends them, by AWS's clock, with a time zone; None: never.
        issued_at: When they were asked for, by the local wall clock.
        lifetime: Seconds from issue to expiry; None: they don't expire.
        account_id: The account that they act in, where known.
        arn: The `assumed-role/<role>/<session>` ARN, where known.
        user_id: The unique id `AROA...:<session>`, where known.
        source_identity: The source identity that STS confirmed.
        request_id: STS's request id of the call that issued them.
        packed_policy_size: Percent of STS's packed limit that policies and tags take, where any were sent.
        region_name: The region of the account's clients, where one is known; two that differ only here are equal.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiry: datetime | None = None
    issued_at: datetime | None = None
    lifetime: float | None = None
    account_id: str | None = None
    arn: str | None = None
    user_id: str | None = None
    source_identity: str | None = None
    request_id: str | None = None
    packed_policy_size: int | None = None
    region_name: str | None = field(default=None, compare=False)

    @property
    def local_expiry(self) -> datetime | None:
        """When they end by the local wall clock, which may differ from AWS's; None: never."""
        if self.issued_at is None or self.lifetime is None:
            return self.expiry
        return self.issued_at + timedelta(seconds=self.lifetime)

    def __reduce__(self) -> tuple[object, ...]:
        msg = "credentials are not pickled: a pickle would carry the secret; pickle the CrossAccountSession instead"
        raise TypeError(msg)

    def environ(self, region_name: str | None = None) -> dict[str, str]:
        """The environment variables that hand them to another program, which can't refresh them.

        Args:
            region_name: The region that the program should use by default; None: the account's.
        """
        region = self.region_name if region_name is None else region_name
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_CREDENTIAL_EXPIRATION": _iso(self.expiry),
            "AWS_ACCOUNT_ID": self.account_id,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
        }
        return {name: value for name, value in variables.items() if value is not None}

    def to_credential_process(self) -> str:
        """The JSON object that `credential_process` in an AWS config file expects on standard output.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
        """
        document = {
            "Version": 1,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": _iso(self.expiry),
            "AccountId": self.account_id,
        }
        return json.dumps({name: value for name, value in document.items() if value is not None})


@frozen(kw_only=True)
class Identity:
    """Who AWS says we are: the answer of GetCallerIdentity.

    Args:
        account_id: The 12-digit account id.
        arn: The ARN of the caller.
        user_id: The caller's unique id.
    """

    account_id: str
    arn: str
    user_id: str

    @property
    def principal(self) -> str:
        """The ARN of the user or role behind it, the same for all sessions of a role."""
        return self.arn.rpartition("/")[0] if ":assumed-role/" in self.arn else self.arn


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
