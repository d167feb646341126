"""Jobs on data that outlast several sessions."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterator
from typing import Any

from tests.support.worlds import BATMAN, VEGETA
from xsession import CrossAccountSession
from xsession.testing import LocalAWS
from xsession.testing._http import Call

BULMA = "444444444444"
CSV = b"name,level\ngoku,9001\nvegeta,8000\n"
LIFETIME = 4.0


class DataWorld:
    """Vegeta and Bulma, each with a bucket of its name; sessions live for `LIFETIME` seconds.

    Args:
        aws: Where the accounts are; its environment is the process's.
    """

    def __init__(self, aws: LocalAWS) -> None:
        self.aws = aws
        self.batman, self.vegeta, self.bulma = (aws.account(account_id) for account_id in (BATMAN, VEGETA, BULMA))
        self.roles = {
            "vegeta": self.vegeta.role("Reader", trusts=BATMAN),
            "bulma": self.bulma.role("Reader", trusts=BATMAN),
        }
        self.vegeta.bucket("vegeta", {"scouter.csv": CSV})
        self.bulma.bucket("bulma", {"scouter.csv": CSV})
        self.live(LIFETIME)
        self._sessions: list[CrossAccountSession] = []
        aws.clear_calls()
        self._began = time.monotonic()

    def live(self, seconds: float) -> None:
        """Sets how long sessions live: longer where one request takes seconds, as uploads do on a busy machine."""
        self.lifetime = seconds
        self.aws.set_lifetime(seconds)

    def session(self, **options: Any) -> CrossAccountSession:
        """A session that knows both."""
        made = CrossAccountSession(self.roles, **options)
        self._sessions.append(made)
        return made

    def from_profile(self) -> CrossAccountSession:
        """One whose source is a profile: what the environment says of credentials does not matter."""
        key = self.batman.user("alfred")
        keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
        self.aws.write_profiles(f"[profile alfred]\n{keys}\nendpoint_url = {self.aws.endpoint_url}\nregion = eu-west-1")
        return self.session(profile_name="alfred")

    def close(self) -> None:
        """Closes all sessions."""
        for session in self._sessions:
            session.close()

    def parquet(self, key: str = "scouter.parquet", account: str = "vegeta") -> str:
        """A Parquet file in an account's bucket; returns its address."""
        import pyarrow as pa  # noqa: PLC0415 # only these tests have it
        import pyarrow.parquet as pq  # noqa: PLC0415 # likewise

        file = io.BytesIO()
        pq.write_table(pa.table({"name": ["goku", "vegeta"], "level": [9001, 8000]}), file)
        owner = self.vegeta if account == "vegeta" else self.bulma
        s3 = owner.root.client("s3")
        s3.put_object(Bucket=account, Key=key, Body=file.getvalue())
        self.aws.clear_calls()
        return f"s3://{account}/{key}"

    def rounds(self) -> Iterator[int]:
        """Three times, each after the session of the time before has ended."""
        for number in range(4):
            if number:
                time.sleep(self.lifetime + 0.2)
            yield number

    def assumed(self, account: str = "vegeta") -> int:
        """How often the account's role was assumed."""
        return self.aws.count("AssumeRole", role_arn=self.roles[account])

    def s3(self) -> list[Call]:
        """The requests of S3 so far."""
        return [call for call in self.aws.calls if call.service == "s3"]

    def check(self, account: str = "vegeta", *, most: int | None = None) -> None:
        """All requests were signed by the account's sessions, one for each lifetime; none was refused as expired.

        Args:
            account: The account.
            most: How often its role may have been assumed; None: as often as refreshes ahead of time make it.
        """
        if most is None:
            most = 1 + math.ceil((time.monotonic() - self._began) / (0.6 * self.lifetime))
        account_id = {"vegeta": VEGETA, "bulma": BULMA}[account]
        calls = self.s3()
        assert calls
        assert {call.account_id for call in calls} == {account_id}
        # Libraries look whether something is there.
        wrong = [call for call in calls if call.error_code is not None and call.status != 404]
        assert not wrong, str(wrong)
        assert 1 <= self.assumed(account) <= most
