"""Asks AWS Organizations for its accounts: few calls, patiently, and with errors that say what to do.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, UnknownRegionError
from botocore.exceptions import ConnectionError as NoConnectionError

from ._aws import Arn, is_denied, is_throttling, organizations_region
from ._base import Clock, FrozenMap
from .accounts import Organization, OrganizationAccount, OrganizationalUnit
from .errors import ConfigError, OrganizationError, XSessionError

if TYPE_CHECKING:
    import boto3

    from .roles import RoleChain

__all__: list[str] = []

ONE_TRY = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""For clients whose calls `patiently` repeats, by a clock that is an argument."""

_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 16.0)
_TRIES_WITHOUT_ANSWER = 3  # who has no network should hear of it soon
_STATE_SINCE = "1.40.27"
_ACCOUNTS = "organizations:account"


class OrganizationsReader:
    """Organizations, as one account sees it.

    Args:
        session: Whose identity asks: the management account's, or that of a delegated administrator.
        chain: The roles that lead there, which say the partition; None: the session's region does.
        clock: Tells the time, and waits.

    Raises:
        ConfigError: It is in a partition or region that is not known.
    """

    def __init__(self, session: boto3.Session, chain: RoleChain | None, clock: Clock) -> None:
        self._session = session
        self._name: str | None = getattr(session, "name", None)
        self._region = account_region(session, chain, self._name)
        self._clock = clock
        self._client: Any = session.client("organizations", region_name=self._region, config=ONE_TRY)

    def read(self, *, need_tags: bool = False) -> Organization:
        """All accounts and their OUs: a call for each 20 accounts, and one for each OU with OUs below it.

        Tags come from the tagging API, 100 accounts at a time.

        Args:
            need_tags: Whether tags are asked for account by account where the tagging API has none.

        Raises:
            OrganizationError: AWS refused, failed or could not be asked; or this botocore does not know the states of
                accounts.
            ConfigError: The account is in no organization.
        """
        # By their ids: one may be on two pages, where another one has come or gone meanwhile.
        listed = list({account["Id"]: account for account in self._listed("list_accounts", "Accounts")}.values())
        if not listed:
            msg = "AWS Organizations has listed no account, not even the one that asked"
            raise OrganizationError(msg, account=self._name, retryable=True)
        arn = Arn(*listed[0]["Arn"].split(":", 5)[1:])
        organization_id = arn.resource.split("/")[1]
        parents, units = self._units({account["Id"]: account.get("Paths") for account in listed})
        tags = self._tags(listed, need_tags=need_tags)
        accounts = [
            OrganizationAccount(
                account["Id"],
                account.get("Name", ""),
                _state(account, self._name),
                parents[account["Id"]],
                FrozenMap({} if tags is None else tags.get(account["Id"], {})),
            )
            for account in listed
            if account["Id"] in parents  # else it has left meanwhile
        ]
        now = self._clock.wall()
        return Organization(
            id=organization_id,
            management_id=arn.account_id,
            partition=arn.partition,
            units=tuple(units),
            accounts=tuple(sorted(accounts, key=lambda account: account.account_id)),
            read_at=now,
            seen_at=now,
            has_tags=tags is not None,
        )

    def _units(self, paths: Mapping[str, list[str] | None]) -> tuple[dict[str, str], list[OrganizationalUnit]]:
        """The OU of each account, and all OUs, parents first."""
        if not all(paths.values()):
            found, units = self._walk()
            # One that was moved to where the walk had been: taken for one of the root, no `exclude` would fit it.
            return self._walk() if paths.keys() - found.keys() else (found, units)
        steps = {account: _steps(path[0]) for account, path in paths.items() if path}
        ways = sorted(steps.values(), key=len)
        # Others need not be asked for: what is not on the way to an account has none.
        branching = dict.fromkeys(parent for way in ways for parent in way[:-1])
        names = {
            unit["Id"]: (unit["Name"], parent)
            for parent in branching
            for unit in self._listed("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        }
        known: dict[str, OrganizationalUnit] = {}
        for way in ways:
            for parent, unit in zip((None, *way), way, strict=False):
                # One that was made or moved meanwhile goes by its id.
                known.setdefault(unit, OrganizationalUnit(unit, names.get(unit, (unit,))[0], parent))
        for unit, (name, parent) in names.items():
            known.setdefault(unit, OrganizationalUnit(unit, name, parent))
        return {account: way[-1] for account, way in steps.items()}, list(known.values())

    def _walk(self) -> tuple[dict[str, str], list[OrganizationalUnit]]:
        """The same, by one walk through the tree: for a botocore before 1.42.80, or where AWS says no paths."""
        (root, *_) = self._listed("list_roots", "Roots")
        units = [OrganizationalUnit(root["Id"], root.get("Name", "Root"), None)]
        parents: dict[str, str] = {}
        for unit in units:  # which grows meanwhile
            below = self._listed("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=unit.id)
            units += [OrganizationalUnit(each["Id"], each["Name"], unit.id) for each in below]
            accounts = self._listed("list_accounts_for_parent", "Accounts", ParentId=unit.id)
            parents.update({account["Id"]: unit.id for account in accounts})
        return parents, units

    def _tags(self, listed: Iterable[Mapping[str, Any]], *, need_tags: bool) -> dict[str, dict[str, str]] | None:
        """The tags of each account that has some; None: they are not known.

        The tagging API has those of the caller's own resources, and so none for a delegated administrator.
        """
        client: Any = self._session.client("resourcegroupstaggingapi", region_name=self._region, config=ONE_TRY)
        found: dict[str, dict[str, str]] = {}
        token = ""
        try:
            while True:
                page = self._call(client, "get_resources", ResourceTypeFilters=[_ACCOUNTS], PaginationToken=token)
                for resource in page.get("ResourceTagMappingList", ()):
                    found[resource["ResourceARN"].rpartition("/")[2]] = _pairs(resource.get("Tags", ()))
                token = page.get("PaginationToken") or ""
                if not token:
                    break
        except OrganizationError:
            found = {}
        if found or not need_tags:
            return found or None
        return {
            account["Id"]: _pairs(self._listed("list_tags_for_resource", "Tags", ResourceId=account["Id"]))
            for account in listed
        }

    def _listed(self, method: str, key: str, **parameters: Any) -> list[Mapping[str, Any]]:
        return [item for page in self._pages(method, **parameters) for item in page.get(key, ())]

    def _pages(self, method: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """All pages: empty ones may have others behind them."""
        while True:
            page = self._call(self._client, method, **parameters)
            yield page
            token = page.get("NextToken")
            if not token:
                return
            parameters["NextToken"] = token

    def _call(self, client: Any, method: str, **parameters: Any) -> Mapping[str, Any]:
        return patiently(client, method, self._clock, account=self._name, **parameters)


def patiently(
    client: Any,
    method: str,
    clock: Clock,
    *,
    account: str | None,
    before: Callable[[], None] = lambda: None,
    **parameters: Any,
) -> Mapping[str, Any]:
    """Calls AWS, again and again where it has too many requests or fails for the moment: other tools share the limit.

    Args:
        client: A client that tries once.
        method: boto3's name of the operation.
        clock: Waits.
        account: The account that asks, for errors.
        before: Called before each try, such as to wait for one's turn.
        parameters: Those of the operation.

    Raises:
        OrganizationError: AWS refused, or failed again and again.
        ConfigError: The account is in no organization.
    """
    tries = 0
    while True:
        before()
        try:
            answer: Mapping[str, Any] = getattr(client, method)(**parameters)
        except XSessionError:
            raise  # what signs the call has no credentials: that says more than that AWS could not be asked
        except (ClientError, BotoCoreError) as error:
            most = len(_DELAYS) if isinstance(error, ClientError) else _TRIES_WITHOUT_ANSWER - 1
            if tries >= most or not _is_passing(error):
                raise _failure(client, method, error, account) from error
            clock.wait(threading.Event(), _DELAYS[tries])
            tries += 1
        else:
            return answer


def _is_passing(error: ClientError | BotoCoreError) -> bool:
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return is_throttling(_code(error)) or status >= 500
    return isinstance(error, HTTPClientError | NoConnectionError)


def _failure(
    client: Any, method: str, error: ClientError | BotoCoreError, account: str | None
) -> OrganizationError | ConfigError:
    operation = client.meta.method_to_api_mapping[method]
    if isinstance(error, BotoCoreError):
        return OrganizationError(f"{operation}: {error}", account=account, retryable=True)
    code, message = _code(error), error.response.get("Error", {}).get("Message", "")
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    if code == "AWSOrganizationsNotInUseException":
        msg = "the account is in no organization"
        hint = "name the accounts instead: in xsession.toml, or as a mapping of names to role ARNs"
        return ConfigError(msg, account=account, code=code, request_id=request_id, hint=hint)
    return OrganizationError(
        f"{operation}: {code}: {message}",
        account=account,
        code=code,
        request_id=request_id,
        retryable=_is_passing(error),
        hint=_hint(code, operation, client.meta.service_model.signing_name),
    )


def _hint(code: str, operation: str, service: str) -> str | None:
    if is_throttling(code):
        return "try again later: other tools of the organization share the limit"
    if not is_denied(code):
        return None
    hint = f"allow {service}:{operation} to the caller"
    if service != "organizations":
        return hint
    return f"{hint}, in the management account or that of a delegated administrator: AWS answers no others"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def _state(account: Mapping[str, Any], name: str | None) -> str:
    # Since 9 September 2026 AWS says `State` alone, and botocore drops what its model lacks.
    state = account.get("State") or account.get("Status")
    if state is None:
        from importlib.metadata import version  # noqa: PLC0415 # for this message alone

        msg = f"botocore {version('botocore')} does not show whether an account is active or closed"
        raise OrganizationError(msg, account=name, hint=f"install botocore {_STATE_SINCE} or later")
    return str(state)


def _steps(path: str) -> tuple[str, ...]:
    """The root and OUs on the way to an account: "o-1/r-1/ou-1/123456789012/" has two."""
    return tuple(step for step in path.split("/") if step.startswith(("r-", "ou-")))


def _pairs(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def account_region(session: boto3.Session, chain: RoleChain | None, name: str | None) -> str:
    """The region of an account's partition in which AWS Organizations and its like answer.

    Args:
        session: The account's.
        chain: The roles that lead to it; None: its session's region says the partition.
        name: The account's name, for errors.

    Raises:
        ConfigError: The partition is not known: another one's would answer for other accounts.
    """
    if chain is not None:
        partition = chain.last.partition
    else:
        region = session.region_name or "us-east-1"
        try:
            partition = session.get_partition_for_region(region)
        except UnknownRegionError:
            partition = f"of region {region}"
    found = organizations_region(partition)
    if found is None:
        msg = f"the partition {partition} is not known, and so neither is where its AWS Organizations answers"
        raise ConfigError(msg, account=name, hint="check the region and the role's ARN, or name the accounts instead")
    return found
