"""Accounts on a local AWS for tests of everything that goes over HTTP: less than `Story` has, and quicker to set up."""

from __future__ import annotations

from typing import Any

import boto3

from xsession import CrossAccountSession, RoleChain
from xsession.testing import EventCapture, LocalAWS
from xsession.testing._iam import AccessKey

BATMAN = "111111111111"
VEGETA = "222222222222"
HUB = "333333333333"
BUCKET = "vegeta-power-levels"


class World:
    """Batman, whose key is the source; Vegeta with a role that trusts Batman, and a hub on the way to another one.

    Args:
        aws: Where the accounts are.
    """

    def __init__(self, aws: LocalAWS) -> None:
        self.aws = aws
        self.batman, self.vegeta, self.hub = (aws.account(account_id) for account_id in (BATMAN, VEGETA, HUB))
        self.key: AccessKey = self.batman.user("bruce")
        self.source: boto3.Session = aws.session(self.key)
        self.role = self.vegeta.role("Reader", trusts=BATMAN)
        hub = self.hub.role("Hub", trusts=BATMAN)
        self.chain = RoleChain(hub, self.vegeta.role("FromHub", trusts=hub))
        self.events = EventCapture()
        self._sessions: list[CrossAccountSession] = []

    def session(self, accounts: Any = None, **options: Any) -> CrossAccountSession:
        """A session whose source is Batman and which knows "vegeta" and "deep", unless told otherwise."""
        known: Any = {"vegeta": self.role, "deep": self.chain} if accounts is None else accounts
        source = {} if "profile_name" in options else {"session": self.source}
        made = CrossAccountSession(known, **{"hooks": [self.events], **source, **options})
        self._sessions.append(made)
        return made

    def close(self) -> None:
        """Closes all sessions, so that nothing of them is due in another test."""
        for session in self._sessions:
            session.close()
        self.forget()

    def forget(self) -> None:
        """Holds no session any more."""
        self._sessions.clear()

    def bucket(self) -> str:
        """Vegeta's bucket with one object, `scouter.csv`."""
        return self.vegeta.bucket(BUCKET, {"scouter.csv": b"name,level\ngoku,9001\n"})


def who(client: Any) -> str:
    """The account that an STS client acts in, as the server sees it."""
    return str(client.get_caller_identity()["Account"])
