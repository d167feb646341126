from __future__ import annotations

import inspect
import threading
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import HUB, VEGETA, World, who
from xsession import SOURCE, Account, ConfigError, CrossAccountSession, InvalidRoleError, Role, WrongAccountError
from xsession._session_options import SessionOptions
from xsession.events import Event, RefreshStarted
from xsession.policies import allow
from xsession.roles import DefaultOptions


def test_options_of_session_apply_to_the_last_hop(world: World) -> None:
    """The hub is assumed as ever, and shared."""
    xs = world.session()
    xs.get_frozen_credentials("deep")
    narrow = xs.session("deep", policy=allow("s3:GetObject"), role_session_name="narrow")
    assert narrow.client("sts").get_caller_identity()["Arn"].endswith("/narrow")
    assert world.aws.count("AssumeRole", role_arn=world.chain.roles[0].role_arn) == 1


def test_sessions_that_are_narrowed_otherwise_have_another_repr(world: World) -> None:
    """Libraries cache what they make of a session by its repr, and would hand the broad one's out."""
    xs = world.session()
    broad, narrow = xs["vegeta"], xs.session("vegeta", policy=allow("s3:GetObject"))
    other = xs.session("vegeta", policy=allow("s3:PutObject"))
    assert len({repr(broad), repr(narrow), repr(other)}) == 3
    assert repr(xs.session("vegeta", policy=allow("s3:GetObject"))) == repr(narrow)
    assert repr(xs.session("vegeta")) == repr(broad)


POLICIES: list[dict[str, Any]] = [
    {"policy": allow("s3:*")},
    {"policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
]


def test_a_session_of_another_region_shares_the_credentials(world: World) -> None:
    """It is the same account, with its defaults; a client's own region still comes first."""
    xs = world.session(source_identity="bruce")
    there = xs.session("vegeta", region_name="us-west-2")
    assert (there.region_name, xs["vegeta"].region_name) == ("us-west-2", "eu-west-1")
    assert there.client("sts").meta.region_name == there.get_client("sts").meta.region_name == "us-west-2"
    assert there.client("sts", region_name="eu-north-1").meta.region_name == "eu-north-1"
    assert who(there.client("sts")) == who(xs["vegeta"].client("sts")) == VEGETA
    assert world.aws.count("AssumeRole") == 1
    with pytest.raises(ConfigError, match="an AWS region such as"):
        xs.session("vegeta", region_name="Oregon")


@pytest.mark.parametrize("own", POLICIES)
@pytest.mark.parametrize("second", POLICIES)
def test_a_second_session_policy_is_refused(world: World, own: dict[str, Any], second: dict[str, Any]) -> None:
    """It would not narrow the first but add to it."""
    xs = world.session({"vegeta": Role(world.role, **own)})
    with pytest.raises(InvalidRoleError, match="session policy") as caught:
        xs.session("vegeta", **second)
    assert caught.value.account == "vegeta"
    replaced = xs.session("vegeta", policy=allow("s3:GetObject"), replace_policy=True)
    assert replaced.chain is not None
    assert replaced.chain.last.policy == allow("s3:GetObject")
    assert replaced.chain.last.policy_arns == ()


@pytest.mark.parametrize("default", POLICIES)
def test_a_calls_policy_takes_the_place_of_a_defaults(world: World, default: dict[str, Any]) -> None:
    """Sent together, they would add up; a call without one keeps the default."""
    xs = world.session(**default)
    hops = xs.session("vegeta", policy=allow("s3:GetObject"))._resolved.hops
    assert (hops[-1].role.policy, hops[-1].role.policy_arns) == (allow("s3:GetObject"), ())
    kept = xs.session("vegeta", duration_seconds=900)._resolved.hops[-1].role
    assert (kept.policy, list(kept.policy_arns)) == (default.get("policy"), default.get("policy_arns", []))


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from([allow("s3:GetObject"), allow("s3:*")]),
        "policy_arns": st.sampled_from([[], ["arn:aws:iam::aws:policy/ReadOnlyAccess"]]),
        "duration_seconds": st.sampled_from([900, timedelta(seconds=900), 1_800]),
        "tags": st.sampled_from([{}, {"team": "bats"}, {"Team": "bats"}, {"team": "cats"}]),
        "role_session_name": st.sampled_from(["bruce", "{account}", "vegeta"]),
        "source_identity": st.sampled_from(["bruce", "alfred"]),
        "external_id": st.sampled_from(["one", "two"]),
        "sts_region_name": st.sampled_from(["eu-west-1", "us-east-1"]),
    },
)


def test_options_never_give_what_others_were_given(world: World) -> None:
    """Two calls share credentials and clients if they ask STS the same, and never otherwise."""
    xs = world.session(role_session_name="default", policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"])

    @given(OPTIONS, OPTIONS)
    def keys(first: dict[str, Any], second: dict[str, Any]) -> None:
        one, other = (xs.session("vegeta", **options)._resolved for options in (first, second))
        asked = [(reached.hops[-1].role.request(), reached.hops[-1].role.sts_region_name) for reached in (one, other)]
        assert (one.key == other.key) == (asked[0] == asked[1])
        assert (one.cells[-1] is other.cells[-1]) == (one.key == other.key)

    keys()


def test_a_narrow_session_is_never_the_cached_broad_one(world: World) -> None:
    """Whatever was asked first, and for clients too."""
    xs = world.session()
    broad, client = xs["vegeta"], xs.get_client("sts", "vegeta")
    narrow = xs.session("vegeta", policy=allow("s3:GetObject"))
    assert narrow is not broad
    assert xs["vegeta"] is broad
    assert xs.get_client("sts", "vegeta") is client
    key_ids = [who_by_key(found) for found in (broad, narrow)]
    assert len(set(key_ids)) == 2
    sent = [call for call in world.aws.calls if call.operation == "AssumeRole"]
    assert len(sent) == 2


def who_by_key(session: boto3.Session) -> str:
    """The key id that a session signs with."""
    credentials = session.get_credentials()
    assert credentials is not None
    return str(credentials.get_frozen_credentials().access_key)


def test_options_where_there_is_no_role_are_refused(world: World) -> None:
    """The source's credentials can't be narrowed."""
    with pytest.raises(InvalidRoleError, match="no role"):
        world.session().session(SOURCE, policy=allow("s3:GetObject"))


def test_an_option_that_does_not_exist_is_refused(world: World) -> None:
    """With the account's name."""
    with pytest.raises(InvalidRoleError, match="polcy") as caught:
        world.session().session("vegeta", polcy="{}")  # type: ignore[call-arg]  # what a type checker refuses
    assert caught.value.account == "vegeta"


# Sure to be the right account


def test_a_client_of_sts_answers_with_the_accounts_identity(world: World) -> None:
    """Never with the source's, whatever is asked first."""
    xs = world.session()
    clients = [xs.get_client("sts", account=SOURCE), xs.get_client("sts", account="vegeta"), xs["vegeta"].client("sts")]
    assert [who(client) for client in clients] == [world.key.principal.account_id, VEGETA, VEGETA]
    arn = clients[1].get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert xs.whoami("vegeta").arn == arn


def test_verify_asks_many_at_a_time(world: World) -> None:
    """Four workers, four accounts under way at once; a wrong one harms no other."""
    barrier = threading.Barrier(4)

    def meet(event: Event) -> None:
        if isinstance(event, RefreshStarted):
            barrier.wait(10)

    accounts = [Account(f"a{n}", world.vegeta.role(f"Role{n}", trusts="111111111111")) for n in range(4)]
    clerk = world.aws.session(world.hub.user("clerk"))
    wrong = Account("wrong", source=clerk, account_id=VEGETA)
    outcomes = world.session([*accounts, wrong], hooks=[meet]).verify(max_workers=4)
    assert not barrier.broken
    assert {identity.account_id for identity in outcomes.results.values()} == {VEGETA}
    assert list(outcomes.errors) == ["wrong"]
    error = outcomes.errors["wrong"]
    assert isinstance(error, WrongAccountError)
    assert HUB in str(error)
    assert error.account == "wrong"


def test_from_config_takes_what_the_session_takes() -> None:
    """By the class that its hints name."""
    named = SessionOptions.__annotations__.keys() - DefaultOptions.__annotations__.keys()
    assert named == set(inspect.signature(CrossAccountSession).parameters) - {"accounts", "defaults"}
