"""Cores of one path, with the keys of two accounts: what holds for the fast path must hold for botocore's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.credentials import Credentials

from tests.support.worlds import BATMAN, VEGETA, World
from xsession._botocore._core import ClientCore
from xsession.testing._iam import AccessKey


class Bench:
    """A core over a source that has no credentials of its own, with the keys of two accounts."""

    def __init__(self, world: World, *, fast: bool, config: Config | None = None) -> None:
        self.world = world
        self.core = ClientCore(world.aws.session(None), config, fast=fast)
        self.keys = {BATMAN: world.key, VEGETA: world.vegeta.user("prince")}

    def credentials(self, account_id: str = VEGETA) -> Credentials:
        """An account's, as botocore's object."""
        return as_credentials(self.keys[account_id])

    def client(self, service_name: str, account_id: str = VEGETA, **arguments: Any) -> Any:
        """A client of an account."""
        region = arguments.pop("region_name", "eu-west-1")
        return self.core.client(service_name, self.credentials(account_id), region, **arguments)


def as_credentials(key: AccessKey) -> Credentials:
    """A key as botocore's object."""
    return Credentials(key.access_key_id, key.secret_access_key, key.session_token)


Make = Callable[..., Bench]
MakeCore = Callable[..., ClientCore]

KEY = Credentials("AKIAEXAMPLE", "s")


class Answer:
    """Stands for an HTTP answer."""

    def __init__(self, content: bytes, status_code: int = 200) -> None:
        self.status_code = status_code
        self.headers: dict[str, str] = {}
        self.content = content
        self.text = content.decode()


def answered(client: Any, content: bytes = b"{}") -> list[Any]:
    """Answers a client's requests before they are sent; returns the list that they are added to."""
    requests: list[Any] = []

    def send(request: Any, **_kwargs: Any) -> Answer:
        requests.append(request)
        return Answer(content)

    client.meta.events.register("before-send", send)
    return requests


def signed_by(request: Any) -> str:
    """The key id in a request's signature."""
    header = request.headers["Authorization"]
    text = header.decode() if isinstance(header, bytes) else str(header)
    return text.partition("Credential=")[2].partition("/")[0]
