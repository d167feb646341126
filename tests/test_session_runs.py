from __future__ import annotations

import gc
import logging
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.support.organizations import OrganizationWorld, member_id
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession import Account, ConfigError, OrganizationError, Role, SessionClosedError, UnknownAccountError
from xsession._session_runs import SessionRuns
from xsession.errors import AssumeRoleError
from xsession.policies import allow

MFA = f"arn:aws:iam::{BATMAN}:mfa/bruce"


def account_of(session: Any) -> tuple[str, str | None]:
    """Who it is, and where."""
    return who(session.get_client("sts")), session.region_name


def test_a_function_is_called_for_every_account(world: World) -> None:
    """With a session of each, in its region."""
    xs = world.session()
    assert xs.run(account_of).collect().results == {
        "vegeta": (VEGETA, "eu-west-1"),
        "deep": (VEGETA, "eu-west-1"),
    }
    assert xs.run(account_of, "vegeta", regions="us-west-2").collect().results == {
        ("vegeta", "us-west-2"): (VEGETA, "us-west-2")
    }


def test_one_assume_role_for_all_regions(world: World) -> None:
    """However many calls there are."""
    xs = world.session()
    xs.run(account_of, "vegeta", regions=["eu-west-1", "us-east-1", "us-west-2"]).collect()
    assert world.aws.count("AssumeRole") == 1


def test_a_refused_account_is_an_outcome_of_its_own(world: World) -> None:
    """Its function is not called, and all others are."""
    xs = world.session({"vegeta": world.role, "no": world.role.replace("Reader", "Nobody")})
    called: list[str] = []

    def work(session: Any) -> None:
        called.append(session.name)

    outcomes = xs.run(work).collect()
    assert called == ["vegeta"]
    refused = outcomes["no"]
    assert isinstance(refused.error, AssumeRoleError)
    assert (refused.phase, refused.category, refused.status) == ("reach", "refused", "failed")
    assert refused.error.account == "no"


def test_an_mfa_code_is_asked_for_in_the_callers_thread_before_anything(world: World) -> None:
    """Once for each device, however many accounts need it."""
    asked: list[tuple[str, threading.Thread]] = []
    world.aws.expect_mfa_code(MFA, "123456")

    def code(serial: str) -> str:
        asked.append((serial, threading.current_thread()))
        return "123456"

    accounts = {f"a{number}": Role(world.role, mfa_serial=MFA) for number in range(5)}
    xs = world.session(accounts, mfa_code=code)
    run = xs.run(account_of)
    assert asked == [(MFA, threading.current_thread())]
    assert len(run.collect().results) == 5
    assert len(asked) == 1


def test_an_account_without_mfa_hides_none_that_needs_it(world: World) -> None:
    """The defaults, which one that is not registered does not take, may name the device."""
    asked: list[threading.Thread] = []
    world.aws.expect_mfa_code(MFA, "123456")

    def code(_serial: str) -> str:
        asked.append(threading.current_thread())
        return "123456"

    xs = world.session({"vegeta": world.role}, mfa_code=code, mfa_serial=MFA)
    assert xs.run(account_of, [Account("plain", world.role), "vegeta"]).collect().ok
    assert asked == [threading.current_thread()]


def test_regions_of_an_account_are_asked_for_once(world: World) -> None:
    """And kept for the next run."""
    xs = world.session()
    first = xs.run(account_of, "vegeta", regions="enabled").collect()
    asked = world.aws.count("DescribeRegions")
    assert {region for _, region in first} >= {"eu-west-1", "us-east-1"}
    assert first.keys() == xs.run(account_of, "vegeta", regions="enabled").collect().keys()
    assert xs.enabled_regions("vegeta") == tuple(region for _, region in first)
    assert world.aws.count("DescribeRegions") == asked == 1


def test_an_account_whose_regions_are_not_told_is_a_failure(world: World) -> None:
    """Of the account: never "nothing to do" (H98); and the others are called."""
    arn = world.aws.account(member_id(1)).role("Regions", trusts=BATMAN, permissions=allow("sts:*"))
    xs = world.session({"vegeta": world.role, "data": arn})
    outcomes = xs.run(account_of, regions="enabled").collect()
    refused = outcomes["data", None]
    assert isinstance(refused.error, OrganizationError)
    assert (refused.phase, refused.category) == ("select", "refused")
    assert len(outcomes.results) == len(outcomes) - 1 > 10
    OrganizationWorld(world).member(1, "data", role=False)
    world.aws.organizations.set_regions(member_id(1), {"eu-west-1": "DISABLED"})
    may_list = allow("sts:*", "account:ListRegions")
    lister = world.aws.account(member_id(1)).role("Lister", trusts=BATMAN, permissions=may_list)
    (none,) = world.session({"data": lister}).run(account_of, regions="enabled").collect().values()
    assert (none.status, none.phase) == ("failed", "select")
    assert "AWS names no region that is enabled" in str(none.error)


def test_a_region_that_botocore_does_not_know_is_tried(world: World) -> None:
    """AWS opens one before botocore's list has it; the others are not held up (H104)."""
    OrganizationWorld(world).member(1, "data", role=False)
    world.aws.organizations.set_regions(member_id(1), {"eu-west-1": "ENABLED", "xx-new-1": "ENABLED"})
    may_list = allow("sts:*", "account:ListRegions")
    arn = world.aws.account(member_id(1)).role("Lister", trusts=BATMAN, permissions=may_list)
    outcomes = world.session({"data": arn}).run(account_of, regions="enabled").collect()
    assert outcomes.results == {("data", region): (member_id(1), region) for region in ("eu-west-1", "xx-new-1")}


def test_outcomes_have_the_notes_of_their_account(world: World) -> None:
    """Whatever comes of it, and whoever makes the call."""
    accounts = [
        Account("vegeta", world.role, notes=("it is old",)),
        Account("no", world.role.replace("Reader", "Nobody"), notes=("it is gone",)),
    ]
    xs = world.session()
    outcomes = xs.run(account_of, accounts).collect()
    assert [outcome.notes for outcome in outcomes.values()] == [("it is old",), ("it is gone",)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"max_workers": 0}, "max_workers 0 is not valid"),
        ({"max_workers": True}, "max_workers True is not valid"),
        ({"max_accounts": 0}, "max_accounts 0 is not valid"),
        ({"rate": 0}, "rate 0 is not valid"),
        ({"timeout": -1}, "timeout -1 is not valid"),
        ({"timeout": "5"}, "timeout '5' is not valid"),
        ({"total_timeout": float("inf")}, "total_timeout inf is not valid"),
        ({"timeout": 1e10}, "timeout 10000000000.0 is not valid"),
        ({"retries": -1}, "retries -1 is not valid"),
        ({"stop_after": 2}, "stop_after 2 is not valid"),
        ({"stop_after": 0}, "stop_after 0 is not valid"),
        ({"regions": "everywhere"}, "regions 'everywhere' is not valid"),
        ({"arguments": ["x"]}, "arguments .* is not valid"),
        ({"journal": 5}, "journal 5 is not valid"),
        ({"journal": b"scan"}, "journal .* is not valid"),
        ({"journal": ""}, "journal '' is not valid"),
        ({"journal": "a\0b"}, "journal .* is not valid"),
        ({"journal_max_age": 3_600}, "journal_max_age 3600 is not valid"),
        ({"journal_max_age": timedelta(-1)}, "journal_max_age .* is not valid"),
        ({"retry_failed": "no"}, "retry_failed 'no' is not valid"),
        ({"journal": "scan", "journal_key": 5}, "journal_key 5 is not valid"),
        ({"executor": ThreadPoolExecutor}, "executor .* is not valid"),
        ({"progress": "yes"}, "progress 'yes' is not valid"),
        ({"func": "f"}, "func 'f' is not valid"),
    ],
)
def test_bad_input_is_refused_before_the_network(world: World, arguments: dict[str, Any], words: str) -> None:
    """Nobody is asked for a code, and nothing is called."""
    xs = world.session()
    with pytest.raises(ConfigError, match=words):
        xs.run(**{"func": account_of, **arguments})
    with pytest.raises(UnknownAccountError):
        xs.run(account_of, ["vegeta", "nobody"])
    assert world.aws.calls == []


@pytest.mark.parametrize("regions", [None, ["eu-west-1", "us-east-1"]])
def test_a_session_that_is_closed_while_a_run_goes_on_ends_its_calls(world: World, regions: list[str] | None) -> None:
    """What is left has an outcome that says so; clients that calls hold sign nothing more, and nobody waits."""
    xs = world.session({f"a{number}": world.role for number in range(20)})

    def work(session: Any) -> None:
        client = session.get_client("sts")
        if session.name == "a0":
            xs.close()
        client.get_caller_identity()

    outcomes = xs.run(work, regions=regions, max_workers=1).collect()
    assert len(outcomes) == 20 * len(regions or [None])
    assert {type(error) for error in outcomes.errors.values()} == {SessionClosedError}
    assert len(outcomes.errors) == len(outcomes)


def test_accounts_that_are_not_registered_have_names_of_their_own(world: World) -> None:
    """Two of one name are told apart."""
    xs = world.session()
    accounts = [Account("x", world.role), Account("x", world.chain)]
    assert list(xs.run(account_of, accounts).collect()) == ["x", "x-2"]


@pytest.mark.slow
def test_clients_of_many_accounts_and_regions_take_no_more_memory_than_those_of_some(world: World) -> None:
    """A run drops those that it is done with (H118); what stays of an account are its credentials."""
    accounts, regions = 240, ("eu-west-1", "us-east-1", "us-west-2")
    xs = world.session({f"a{number}": Role(world.role, external_id=f"a{number}") for number in range(accounts)})

    def work(session: Any) -> None:
        for service in ("sqs", "sns", "sts"):
            session.get_client(service)

    def clients_alive() -> int:
        gc.collect()
        return sum(isinstance(one, BaseClient) for one in gc.get_objects())

    others = clients_alive()
    seen = []
    for number, _outcome in enumerate(xs.run(work, regions=regions, max_workers=8), 1):
        if number in (accounts, accounts * len(regions)):
            world.aws.clear_calls()
            world.events.clear()
            seen.append((clients_alive() - others, sys.getallocatedblocks()))
    (clients, blocks), (clients_at_the_end, blocks_at_the_end) = seen
    assert clients_at_the_end <= clients + 20 < 400
    assert (blocks_at_the_end - blocks) / (accounts * 2 / 3) < 250


def test_where_nobody_looks_progress_is_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A line at the end, and one every ten seconds; no bar, and no carriage return."""
    with caplog.at_level(logging.INFO, "xsession"):
        world.session().run(account_of, progress=True).collect()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[-1] == "2 of 2 done, 0 failed"
    assert len([line for line in lines if "done" in line]) == 1


def test_a_service_that_is_not_in_a_region_is_skipped_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore would try again for seconds; and where DNS is down, that is no reason to skip anything."""
    known, looked_up = {"iot.us-east-1.amazonaws.com"}, socket.getaddrinfo

    def look_up(host: Any, *args: Any, **options: Any) -> Any:
        if not str(host).endswith(".amazonaws.com"):
            return looked_up(host, *args, **options)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def things(session: Any) -> None:
        url = f"https://iot.{session.region_name}.amazonaws.com"
        session.get_client("iot", endpoint_url=url).list_things()

    outcome = world.session().run(things, "vegeta", regions="eu-north-1").collect()["vegeta", "eu-north-1"]
    assert (outcome.status, outcome.category) == ("skipped", "not_in_region")
    assert outcome.seconds < 2
    known.clear()
    outcome = world.session().run(things, "vegeta", regions="eu-north-1").collect()["vegeta", "eu-north-1"]
    assert (outcome.status, outcome.category) == ("failed", "timeout")


def test_who_a_run_is_does_not_depend_on_what_ran_before(world: World) -> None:
    """Another source that the session has used is none of the run's: its journal would be another run's."""
    known = {None: "arn:bruce", "other": "arn:alfred"}

    def principal(*accounts: Account) -> str:
        options: dict[str, Any] = dict.fromkeys(("resolve", "clients", "owner"))
        runs = SessionRuns(
            world.session(),
            {account.name: account for account in accounts},
            principals=lambda: known,
            own_clients=False,
            rate=None,
            **options,
        )
        return runs.principal()

    mine, other = Account("a", world.role), Account("b", world.role, source="other")
    assert (principal(mine), principal(other), principal(other, mine)) == (
        "arn:bruce",
        "arn:alfred",
        "arn:alfred, arn:bruce",
    )
    assert principal(Account("c", source=world.source)) == "arn:bruce"
