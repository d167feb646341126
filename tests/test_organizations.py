from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from tests.support.aws_hosts import Answer, Request, all_hosts
from tests.support.clocks import PassingClock
from tests.support.organizations import ROLE, OrganizationWorld, member_id, shows_paths, shows_states
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import AssumeRoleError, ConfigError, CrossAccountSession, OrganizationError, Role, RoleChain
from xsession._organizations import OrganizationsReader, account_region
from xsession.testing import Fault
from xsession.testing._models import model_loader

pytestmark = shows_states

STATES = ("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")
BUSY = (
    "You have sent too many requests in too short a period of time.",
    "AWS Organizations can't complete your request because another request is already in progress. Try again later.",
)


@pytest.fixture
def org(world: World) -> OrganizationWorld:
    """An organization with its management account alone."""
    return OrganizationWorld(world)


class OlderLoader:
    """botocore's models, but accounts of Organizations lack some members, as in an older botocore.

    Args:
        without: The members.
    """

    def __init__(self, *without: str) -> None:
        self._loader = model_loader()
        self._without = without

    def load_service_model(self, service: str, type_name: str, api_version: str | None = None) -> Any:
        """The model of a service."""
        model = self._loader.load_service_model(service, type_name, api_version)
        if (service, type_name) == ("organizations", "service-2"):
            model = copy.deepcopy(model)
            for name in self._without:
                del model["shapes"]["Account"]["members"][name]
        return model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def older(org: OrganizationWorld, *without: str) -> OrganizationsReader:
    """Asks by an older botocore."""
    plain = org.world.source
    session = botocore.session.Session()
    session.register_component("data_loader", OlderLoader(*without))
    session.set_credentials(org.world.key.access_key_id, org.world.key.secret_access_key)
    session.set_config_variable("config_file", plain._session.get_config_variable("config_file"))
    return OrganizationsReader(boto3.Session(botocore_session=session, region_name="eu-west-1"), None, PassingClock())


@shows_paths
def test_all_pages_are_read(org: OrganizationWorld) -> None:
    """Empty ones have others behind them; OUs cost nothing per account (H85)."""
    for number in range(1, 45):
        org.member(number, f"account-{number}", role=False, unit="Workloads/Prod" if number % 2 else "Sandbox")
    org.organization.page_sizes = [20, 0, 20, 5]
    accounts = org.accounts()
    assert len(accounts) == 45
    assert accounts["account-1"].ou_path == "Workloads/Prod"
    assert accounts["batman"].account_id == BATMAN
    assert org.aws.count("ListAccounts") == 4
    assert org.aws.count("ListOrganizationalUnitsForParent") == 2  # the root, and Workloads
    assert org.asked() == 6


def test_its_accounts_are_reached_by_the_role(org: OrganizationWorld) -> None:
    """As any other account; with tags and OU for `where`."""
    one = org.member(1, "data", unit="Workloads/Prod", tags={"env": "prod"})
    org.member(2, "web", unit="Sandbox", tags={"env": "test"})
    accounts = org.accounts()
    assert list(accounts.where(ou_path="Workloads/*")) == ["data"]
    assert list(accounts.where(env="test")) == ["web"]
    xs = org.session()
    xs.accounts = xs.accounts | accounts
    assert xs.whoami("data").account_id == one
    assert xs.get_client("sts", one).get_caller_identity()["Account"] == one


def test_only_active_accounts_count(org: OrganizationWorld) -> None:
    """Of five states; the others say theirs (H86)."""
    for number, state in enumerate(STATES, 1):
        org.member(number, state.lower(), role=False, state=state)
    accounts = org.accounts()
    assert sorted(accounts) == ["active", "batman"]
    assert {each.name: each.reason for each in accounts.explain() if not each.chosen} == {
        state.lower(): f"its state is {state}" for state in STATES if state != "ACTIVE"
    }


def test_nothing_is_asked_of_what_is_excluded(org: OrganizationWorld) -> None:
    """Nor of what is below it (H88)."""
    org.member(1, "data", unit="Workloads")
    org.member(2, "old", unit="Suspended/Long ago")
    xs = org.session()
    xs.accounts = org.accounts(xs, exclude=["Suspended", "batman"])
    assert xs.warm().ok
    assert [call.role_arn for call in org.aws.calls if call.operation == "AssumeRole"] == [
        f"arn:aws:iam::{member_id(1)}:role/{ROLE}"
    ]


def test_the_management_account_has_no_role_by_itself(org: OrganizationWorld) -> None:
    """It is refused like any other, never reached as the source; a note says what to do (H91, H92)."""
    org.member(1, "data", unit="Workloads")
    xs = org.session()
    xs.accounts = org.accounts(xs)
    ran = xs.run(lambda session: session.name).collect()
    assert (ran["batman"].phase, ran["batman"].category) == ("reach", "refused")
    assert "it is the management account" in ran["batman"].notes[0]
    assert ran["data"].ok
    outcomes = xs.verify()
    assert not outcomes["batman"].ok
    error = outcomes["batman"].error
    assert isinstance(error, AssumeRoleError)
    assert (error.code, error.hop) == ("AccessDenied", 1)
    assert "it is the management account" in outcomes["batman"].notes[0]
    assert outcomes["data"].ok
    assert "batman" not in org.accounts(xs, under=["Workloads"])


def test_tags_are_asked_for_by_the_hundred(org: OrganizationWorld) -> None:
    """And account by account only where they are needed and the tagging API has none, as for a delegated admin."""
    for number in range(1, 5):
        org.member(number, f"account-{number}", role=False, tags={"env": "prod" if number % 2 else "test"})
    accounts = org.accounts(tags={"env": "prod"})
    assert sorted(accounts) == ["account-1", "account-3"]
    assert (org.aws.count("GetResources"), org.aws.count("ListTagsForResource")) == (1, 0)
    org.organization.delegated.add(member_id(1))
    delegate = org.world.session({}, session=org.aws.session(org.aws.account(member_id(1)).user("carol")))
    assert sorted(org.accounts(delegate, tags={"env": "prod"})) == ["account-1", "account-3"]
    assert org.aws.count("ListTagsForResource") == 5
    assert org.accounts(delegate)["account-1"].tags == {}
    assert org.aws.count("ListTagsForResource") == 5


def test_tags_that_may_not_be_listed_are_missing(org: OrganizationWorld) -> None:
    """Selection by OU needs no permission for them."""
    org.member(1, "data", role=False, tags={"env": "prod"})
    org.aws.fail(Fault(service="tagging", status=400, code="AccessDeniedException", times=None))
    xs = org.session()
    assert org.accounts(xs)["data"].tags == {}
    assert not xs.organization().has_tags
    org.aws.fail(
        Fault(service="organizations", operation="ListTagsForResource", status=400, code="AccessDeniedException")
    )
    with pytest.raises(OrganizationError, match="allow organizations:ListTagsForResource to the caller"):
        older(org).read(need_tags=True)


@shows_paths
@pytest.mark.parametrize("how", ["botocore", "aws"])
def test_without_paths_the_tree_is_walked_once(org: OrganizationWorld, how: str) -> None:
    """A botocore before 1.42.80 drops them; AWS may not say them in each partition."""
    for number in range(1, 25):
        org.member(number, f"account-{number}", role=False, unit="Workloads/Prod" if number % 2 else "")
    org.organization.unit("Empty")
    known = older(org).read()
    org.aws.clear_calls()
    org.organization.has_paths = how != "aws"
    walked = (older(org, "Paths") if how == "botocore" else older(org)).read()
    assert {each.account_id: walked.paths()[each.parent_id] for each in walked.accounts} == {
        each.account_id: known.paths()[each.parent_id] for each in known.accounts
    }
    assert org.aws.count("ListAccountsForParent") == 4
    assert org.aws.count("ListOrganizationalUnitsForParent") == 4
    assert org.aws.count("ListRoots") == 1


def test_a_botocore_that_shows_no_state_is_an_error(org: OrganizationWorld) -> None:
    """Never "no accounts": it names the version that is needed."""
    with pytest.raises(
        OrganizationError, match=r"botocore \d+\.\d+\.\d+ does not show whether .*; install botocore 1.40"
    ):
        older(org, "State").read()
    assert older(org, "Status").read().accounts[0].state == "ACTIVE"


@pytest.mark.parametrize("message", BUSY)
def test_too_many_requests_are_waited_for(org: OrganizationWorld, message: str) -> None:
    """In both wordings; other tools of the organization share the limit."""
    clock = PassingClock()
    throttled = Fault(service="organizations", status=400, code="TooManyRequestsException", message=message, times=6)
    org.aws.fail(throttled)
    xs = org.world.session({}, clock=clock)
    before = clock.boot()
    assert list(org.accounts(xs)) == ["batman"]
    assert clock.boot() - before == 0.5 + 1 + 2 + 4 + 8 + 16
    org.aws.fail(Fault(service="organizations", status=400, code="TooManyRequestsException", times=None))
    with pytest.raises(
        OrganizationError, match=r"TooManyRequestsException.* other tools of the organization"
    ) as caught:
        older(org).read()
    assert caught.value.retryable


def test_failures_of_the_moment_are_tried_again(org: OrganizationWorld) -> None:
    """And one without an answer only twice."""
    org.aws.fail(Fault(service="organizations", status=500, code="ServiceException"))
    org.aws.fail(Fault(kind="reset", service="organizations", operation="ListAccounts", times=1))
    assert len(older(org).read().accounts) == 1
    org.aws.fail(Fault(kind="reset", service="organizations", operation="ListAccounts", times=None))
    org.aws.clear_calls()
    with pytest.raises(OrganizationError, match="ListAccounts: ") as caught:
        older(org).read()
    assert caught.value.retryable
    assert org.aws.count("ListAccounts") == 3


def test_an_account_without_an_organization_is_said(world: World) -> None:
    """With another way to name accounts (H94)."""
    with pytest.raises(ConfigError, match=r"the account is in no organization .*; name the accounts instead") as caught:
        world.session({}).organization()
    assert caught.value.code == "AWSOrganizationsNotInUseException"
    assert caught.value.request_id


def test_a_member_may_not_ask(org: OrganizationWorld) -> None:
    """And hears who may; never that there are none (H95)."""
    org.member(1, "data", role=True)
    xs = org.session({"data": f"arn:aws:iam::{member_id(1)}:role/{ROLE}"})
    with pytest.raises(
        OrganizationError, match=r"account 'data': ListAccounts: AccessDenied.* delegated administrator"
    ) as caught:
        org.accounts(xs, account="data", allow_empty=True)
    assert caught.value.code == "AccessDeniedException"
    assert not caught.value.retryable


def test_no_account_at_all_is_no_answer(org: OrganizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that asks is in it at least."""
    org.organization.remove(BATMAN)
    monkeypatch.setattr(org.aws.organizations, "_of", lambda _account: org.organization)
    with pytest.raises(OrganizationError, match="has listed no account, not even the one that asked"):
        org.session().organization()


@shows_paths
def test_an_ou_that_was_made_meanwhile_goes_by_its_id(org: OrganizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of accounts is older than that of OUs."""
    org.member(1, "data", role=False, unit="Workloads")
    monkeypatch.setattr(org.organization, "units_of", lambda _parent: [])
    assert org.accounts()["data"].ou_path == org.organization.unit("Workloads")


@pytest.mark.parametrize("misses", [1, 2])
def test_an_account_that_is_moved_meanwhile_is_not_at_the_root(
    org: OrganizationWorld, monkeypatch: pytest.MonkeyPatch, misses: int
) -> None:
    """No `exclude` would fit it there: the tree is walked again, and one that is nowhere has left."""
    org.member(1, "data", role=False, unit="Suspended")
    reader, walks = older(org, "Paths"), 0
    walk = reader._walk

    def moved() -> tuple[dict[str, str], Any]:
        nonlocal walks
        walks += 1
        parents, units = walk()
        if walks <= misses:
            del parents[member_id(1)]
        return parents, units

    monkeypatch.setattr(reader, "_walk", moved)
    found = reader.read()
    places = {each.account_id: found.paths()[each.parent_id] for each in found.accounts}
    assert places == {BATMAN: ""} | ({member_id(1): "Suspended"} if misses == 1 else {})


def test_an_account_on_two_pages_is_one(org: OrganizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another one has come meanwhile; the later one counts."""
    org.member(1, "data", role=False)
    reader = older(org)
    pages = reader._pages

    def twice(method: str, **parameters: Any) -> Any:
        for page in pages(method, **parameters):
            yield from (page, page)

    monkeypatch.setattr(reader, "_pages", twice)
    assert [each.account_id for each in reader.read().accounts] == sorted([BATMAN, member_id(1)])


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "organizations.us-east-1.amazonaws.com"),
        ("us-gov-east-1", "organizations.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "organizations.cn-northwest-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "organizations.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_each_partition_has_one_endpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, region: str, host: str
) -> None:
    """Whichever region the source is in; by AWS's own names, over TLS (H93)."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")

    def refuse(_request: Request) -> Answer:
        return Answer(400, '{"__type": "AccessDeniedException", "message": "no"}')

    with all_hosts(refuse, monkeypatch, tmp_path) as hosts:
        reader = OrganizationsReader(boto3.Session(region_name=region), None, PassingClock())
        with pytest.raises(OrganizationError, match="AccessDenied"):
            reader.read()
        (request,) = hosts.seen
    assert request.host == host
    assert (
        f"/{account_region(boto3.Session(region_name=region), None, None)}/organizations/"
        in request.headers["Authorization"]
    )


def test_an_unknown_partition_is_an_error() -> None:
    """Another one's Organizations would answer for other accounts (H93, H98)."""
    with pytest.raises(ConfigError, match="the partition of region mars-north-1 is not known"):
        account_region(boto3.Session(region_name="mars-north-1"), None, "vegeta")
    chain = RoleChain(Role("arn:aws-moon:iam::222222222222:role/Reader", sts_region_name="moon-1"))
    with pytest.raises(ConfigError, match="account 'vegeta': the partition aws-moon is not known"):
        account_region(boto3.Session(region_name="eu-west-1"), chain, "vegeta")
    assert account_region(
        boto3.Session(region_name="eu-west-1"), RoleChain("arn:aws-cn:iam::222222222222:role/R"), None
    ) == ("cn-northwest-1")


def test_a_hub_may_come_before(org: OrganizationWorld) -> None:
    """It is assumed once, and goes on being used when accounts are added to a living session."""
    hub = org.aws.account(VEGETA).role("OrgHub", trusts=BATMAN)
    for number in (1, 2):
        org.member(number, f"account-{number}", role=False)
        org.aws.account(member_id(number)).role(ROLE, trusts=hub)
    xs = org.session({"hub": hub})
    client = xs.get_client("sts", "hub")
    client.get_caller_identity()
    xs.accounts = xs.accounts | org.accounts(xs, via="hub", names=["account-*"])
    assert xs.verify().ok
    assert xs.get_client("sts", "hub") is client
    assert org.aws.count("AssumeRole", role_arn=hub) == 1
    assert org.aws.count("AssumeRole") == 3


def test_accounts_that_leave_are_not_found_any_more(org: OrganizationWorld) -> None:
    """On a session that lives on, by name and by id; and it takes accounts only."""
    org.member(1, "data")
    xs: CrossAccountSession = org.session()
    xs.accounts = org.accounts(xs, names=["data"])
    before = xs.get_client("sts", "data")
    xs.accounts = org.accounts(xs, names=["batman"])
    assert list(xs) == ["batman"]
    assert "data" not in xs
    with pytest.raises(LookupError):
        xs.get_client("sts", "data")
    assert before.get_caller_identity()["Account"] == member_id(1)
    with pytest.raises(ConfigError, match=r"accounts .* is not valid: Accounts"):
        xs.accounts = {"a": "b"}  # type: ignore[assignment]


def test_names_are_told_apart_over_http(org: OrganizationWorld) -> None:
    """And say what AWS calls them; botocore loads profiles of these names (H35, H36, H43)."""
    for number in range(1, 41):
        name = {3: "Data", 4: "data", 5: "DATA", 6: "Company [production]"}.get(number, f"Team {number}")
        org.member(number, name, role=False)
    accounts = org.accounts()
    assert len(accounts) == 41
    assert len({name.lower() for name in accounts}) == 41
    assert accounts["Company-production"].aws_name == "Company [production]"
    assert "Company [production]" in str(accounts)
    assert "Company [production]" in str(accounts.explain())
    profiles = "".join(f"[profile {name}]\nregion = eu-west-1\n" for name in accounts)
    org.aws.write_profiles(profiles)
    assert set(accounts) <= set(org.aws.session().available_profiles)
