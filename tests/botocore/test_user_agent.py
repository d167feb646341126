"""User-Agent headers tell how the credentials were obtained, as those of boto3's own profiles do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import botocore.useragent
import pytest
from botocore.credentials import Credentials

from tests.support.client_paths import MakeCore, answered
from tests.support.worlds import BATMAN, VEGETA
from xsession import SOURCE, Account, CrossAccountSession, Role, RoleChain
from xsession._botocore._user_agent import telling

IDS: dict[str, str] = getattr(botocore.useragent, "_USERAGENT_FEATURE_MAPPINGS", {})
pytestmark = pytest.mark.skipif("CREDENTIALS_CODE" not in IDS, reason="this botocore has no such ids")

ROLE = f"arn:aws:iam::{VEGETA}:role/R"
ASSUMED, BY_TOKEN = "CREDENTIALS_STS_ASSUME_ROLE", "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID"


class Obtained(Credentials):
    """Credentials that say how they were obtained."""

    def __init__(self, *methods: str) -> None:
        super().__init__("AKIAEXAMPLE", "s", method="somebody's own")
        self.methods = frozenset(methods)


def told(client: Any) -> set[str]:
    """botocore's ids of credentials in the header of a request."""
    requests = answered(client)
    client.list_tables()
    header = requests[0].headers["User-Agent"]
    parts = (header.decode() if isinstance(header, bytes) else header).split()
    codes = next(part for part in parts if part.startswith("m/")).removeprefix("m/").split(",")
    return {name for name, code in IDS.items() if code in codes and name.startswith("CREDENTIALS_")}


def dynamodb(core: MakeCore, credentials: Any) -> Any:
    """A client that signs with these."""
    return core().client("dynamodb", credentials, "eu-west-1")


@pytest.mark.parametrize(
    ("methods", "ids"),
    [
        ((), set()),
        (("assume-role", "env"), {ASSUMED, "CREDENTIALS_ENV_VARS"}),
        (("somebody's own",), set()),
    ],
)
def test_a_client_tells_how_its_credentials_were_obtained(
    core: MakeCore, methods: tuple[str, ...], ids: set[str]
) -> None:
    """On both paths, in botocore's ids."""
    assert told(dynamodb(core, Obtained(*methods))) == ids


def test_clients_of_one_template_tell_what_is_theirs(core: MakeCore) -> None:
    """In whatever order they are made; and those of the same methods share what makes the header."""
    made = core()

    def client(*methods: str) -> Any:
        return made.client("dynamodb", Obtained(*methods), "eu-west-1")

    clients = [client("env"), client(), client("sso"), client("env")]
    assert list(map(told, clients)) == [
        {"CREDENTIALS_ENV_VARS"},
        set(),
        {"CREDENTIALS_SSO"},
        {"CREDENTIALS_ENV_VARS"},
    ]
    if made._fast:
        assert clients[0]._user_agent_creator is clients[3]._user_agent_creator


def test_an_account_tells_of_its_role_and_its_source(tmp_path: Path) -> None:
    """The source's method where it is known without asking anybody."""
    token = tmp_path / "token"
    token.write_text("t")
    accounts: dict[str, str | Role | RoleChain | Account] = {
        "vegeta": ROLE,
        "eks": Role(ROLE, web_identity_token_file=str(token)),
        "deep": RoleChain(Role(ROLE, web_identity_token_file=str(token)), ROLE),
        "own": Account("own", account_id=BATMAN),
    }
    with CrossAccountSession(
        accounts,
        session=boto3.Session("AKIAEXAMPLE", "s", region_name="eu-west-1"),
    ) as xs:
        methods = {name: xs[name]._resolved.credentials.methods for name in ("vegeta", "eks", "deep", "own")}
        source = xs.session(SOURCE)._resolved.credentials.methods
    assert methods == {
        "vegeta": {"assume-role", "explicit"},
        "eks": {"assume-role-with-web-identity"},
        "deep": {"assume-role-with-web-identity", "assume-role"},
        "own": {"explicit"},
    }
    assert source == {"explicit"}


def test_a_botocore_without_ids_is_told_nothing() -> None:
    """Its makers of headers stay as they are."""

    class Creator:
        """Knows no features."""

        name = "x"

    assert vars(telling(Creator(), ["env"])) == {}
