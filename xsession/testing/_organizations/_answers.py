"""What the local AWS answers for Organizations, Account Management and, for tags of accounts, the tagging API.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from xsession.testing._http import HTTPResponse, RefusedError
from xsession.testing._iam import UnknownRequestError

from ._local_organization import LocalOrganization

_JSON = "application/x-amz-json-1.1"
_PAGE = 20
_REGIONS_PAGE = 50
_TAGS_PAGE = 100


class LocalOrganizations:
    """All organizations, and which regions accounts have enabled.

    Args:
        now: The clock, in seconds since 1970.
    """

    SERVICES = frozenset({"account", "organizations", "tagging"})

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._organizations: dict[str, LocalOrganization] = {}
        self._regions: dict[str, dict[str, str]] = {}
        self._asked: dict[str, deque[float]] = {}
        self.region_requests_per_second: int | None = 5
        """How many ListRegions an account may ask for in a second of the server's clock; None: any."""

    def organization(self, management_id: str, partition: str = "aws") -> LocalOrganization:
        """The organization of a management account; made when it is asked for."""
        if management_id not in self._organizations:
            number = len(self._organizations) + 1
            self._organizations[management_id] = LocalOrganization(management_id, number, partition)
        return self._organizations[management_id]

    def set_regions(self, account_id: str, statuses: Mapping[str, str]) -> None:
        """Says which regions an account has, by name, each with its status: "ENABLED", "DISABLED", ..."""
        self._regions[account_id] = dict(statuses)

    def answer(self, service: str, operation: str, request: Mapping[str, Any], account_id: str) -> HTTPResponse:
        """Answers a request to one of the three services.

        Args:
            service: Which one.
            operation: What it asks for.
            request: Its fields.
            account_id: Who asks.

        Raises:
            RefusedError: What AWS would refuse.
            UnknownRequestError: That is not known here.
        """
        known = {
            ("account", "ListRegions"): self._list_regions,
            ("organizations", "DescribeOrganization"): self._describe_organization,
            ("organizations", "ListAccounts"): self._list_accounts,
            ("organizations", "ListAccountsForParent"): self._list_accounts_for_parent,
            ("organizations", "ListOrganizationalUnitsForParent"): self._list_units_for_parent,
            ("organizations", "ListRoots"): self._list_roots,
            ("organizations", "ListTagsForResource"): self._list_tags,
            ("tagging", "GetResources"): self._get_resources,
        }.get((service, operation))
        if known is None:
            msg = f"the local AWS has no {service} {operation}"
            raise UnknownRequestError(msg)
        with self._lock:
            return HTTPResponse(200, json.dumps(known(request, account_id)).encode(), _JSON)

    def _describe_organization(self, _request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        found = self._member_of(account_id)
        management = {
            "MasterAccountId": found.management_id,
            "MasterAccountArn": found.arn("account", found.management_id),
        }
        return {"Organization": {"Id": found.id, "Arn": found.arn("organization", "").rstrip("/"), **management}}

    def _list_accounts(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        found = self._asked_by(account_id)
        size = found.page_sizes.pop(0) if found.page_sizes else None
        return _page("Accounts", found.listed(), request, _PAGE, size)

    def _list_accounts_for_parent(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        found = self._asked_by(account_id)
        return _page("Accounts", found.listed(_parent(found, request)), request, _PAGE)

    def _list_units_for_parent(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        found = self._asked_by(account_id)
        return _page("OrganizationalUnits", found.units_of(_parent(found, request)), request, _PAGE)

    def _list_roots(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        found = self._asked_by(account_id)
        root = {"Id": found.root_id, "Arn": found.arn("root", found.root_id), "Name": "Root", "PolicyTypes": []}
        return _page("Roots", [root], request, _PAGE)

    def _list_tags(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        tags = self._asked_by(account_id).tags_of(request.get("ResourceId"))
        if tags is None:
            _refuse("TargetNotFoundException", "You specified a target that doesn't exist.")
        return _page("Tags", _tag_list(tags), request, _PAGE)

    def _get_resources(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        if request.get("ResourceTypeFilters") != ["organizations:account"]:
            msg = "the local AWS lists the tags of an organization's accounts only"
            raise UnknownRequestError(msg)
        found = self._organizations.get(account_id)  # others have none of these resources, and are not refused
        resources = [
            {"ResourceARN": found.arn("account", each), "Tags": _tag_list(tags)}
            for each in ([] if found is None else found.account_ids)
            if found is not None and (tags := found.tags_of(each))
        ]
        size = request.get("ResourcesPerPage", _TAGS_PAGE)
        page = _page(
            "ResourceTagMappingList", resources, {"NextToken": request.get("PaginationToken") or None}, _TAGS_PAGE, size
        )
        return {**page, "PaginationToken": page.pop("NextToken", "")}

    def _list_regions(self, request: Mapping[str, Any], account_id: str) -> dict[str, Any]:
        self._throttle(account_id)
        asked = request.get("AccountId")
        if asked is not None:
            found = self._of(account_id)
            # The management account asks for itself without naming itself.
            if found is None or not found.may_ask(account_id) or asked not in found.account_ids or asked == account_id:
                _refuse("AccessDeniedException", "You don't have permission to perform this operation.")
        regions = self._regions.get(asked or account_id, {"us-east-1": "ENABLED_BY_DEFAULT"})
        wanted = request.get("RegionOptStatusContains") or list(regions.values())
        listed = [
            {"RegionName": name, "RegionOptStatus": status} for name, status in regions.items() if status in wanted
        ]
        return _page("Regions", listed, request, _REGIONS_PAGE)

    def _throttle(self, account_id: str) -> None:
        now, asked = self._now(), self._asked.setdefault(account_id, deque())
        while asked and asked[0] <= now - 1:
            asked.popleft()
        if self.region_requests_per_second is not None and len(asked) >= self.region_requests_per_second:
            raise RefusedError(429, "TooManyRequestsException", "Too many requests")
        asked.append(now)

    def _of(self, account_id: str) -> LocalOrganization | None:
        return next((each for each in self._organizations.values() if account_id in each.account_ids), None)

    def _member_of(self, account_id: str) -> LocalOrganization:
        found = self._of(account_id)
        if found is None:
            _refuse("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return found

    def _asked_by(self, account_id: str) -> LocalOrganization:
        found = self._member_of(account_id)
        if not found.may_ask(account_id):
            _refuse("AccessDeniedException", "You don't have permissions to access this resource.")
        return found


def _parent(found: LocalOrganization, request: Mapping[str, Any]) -> str:
    parent = request.get("ParentId")
    if not isinstance(parent, str) or not found.has_parent(parent):
        _refuse("ParentNotFoundException", "You specified a parent that doesn't exist.")
    return parent


def _page(
    key: str, items: Sequence[Any], request: Mapping[str, Any], most: int, size: int | None = None
) -> dict[str, Any]:
    """A page of a list; its token is the number of the first item of the next one."""
    asked = request.get("MaxResults", most)
    token = request.get("NextToken") or "0"
    if not isinstance(asked, int) or not 1 <= asked <= most or not str(token).isdecimal():
        _refuse("InvalidInputException", f"MaxResults is from 1 to {most}, and NextToken from an answer before")
    start = int(token)
    end = start + min(asked, size) if size is not None else start + asked
    page: dict[str, Any] = {key: items[start:end]}
    return {**page, "NextToken": str(end)} if end < len(items) else page


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _refuse(code: str, message: str) -> NoReturn:
    raise RefusedError(400, code, message)
