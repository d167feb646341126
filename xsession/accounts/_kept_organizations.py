"""Lists of organizations' accounts that are kept on disk, each with its age; without a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from xsession._aws import is_account_id, organizations_region
from xsession._base import FrozenMap

from ._organization import Organization, OrganizationAccount, OrganizationalUnit
from ._own_files import OwnFiles, moment_of

FOLDER_NAME = "organizations"
_FORMAT = 1
_MAX_BYTES = 64 * 1024 * 1024  # 10,000 accounts with five tags have 3 MB


class KeptOrganizations:
    """This user's lists, by the account that was asked: one is in one organization only.

    Args:
        files: Where they are; None: the user has no home, and nothing is kept.
        fresh: What AWS has just said, by the account that was asked: it comes before what is kept.
    """

    def __init__(self, files: OwnFiles | None, fresh: Mapping[str, Organization] = FrozenMap()) -> None:
        self._files = files
        self._fresh = fresh

    @classmethod
    def named_by(cls, environ: Mapping[str, str], fresh: Mapping[str, Organization] = FrozenMap()) -> KeptOrganizations:
        """Those of the user whom an environment names."""
        return cls(OwnFiles.named_by(environ, FOLDER_NAME, _MAX_BYTES), fresh)

    def find(self, account_id: str, now: float) -> Organization | None:
        """What an account said when it was asked last; None: nothing is kept, or nothing that this user has written.

        Args:
            account_id: The account.
            now: Seconds since 1970.
        """
        if account_id in self._fresh:
            return replace(self._fresh[account_id], seen_at=now)
        data = None if self._files is None else self._files.read(f"{account_id}.json")
        return None if data is None else organization_of(data, now)

    def keep(self, account_id: str, organization: Organization) -> None:
        """Keeps what an account has said.

        Raises:
            ConfigError: The user's folder can't be written to.
        """
        if self._files is not None:
            self._files.write(f"{account_id}.json", json_of(organization))


def json_of(organization: Organization) -> bytes:
    """A list as it is kept."""
    value = {
        "format": _FORMAT,
        "id": organization.id,
        "management_id": organization.management_id,
        "partition": organization.partition,
        "read_at": organization.read_at,
        "has_tags": organization.has_tags,
        "units": [[unit.id, unit.name, unit.parent_id] for unit in organization.units],
        "accounts": [
            [each.account_id, each.name, each.state, each.parent_id, dict(each.tags)] for each in organization.accounts
        ],
    }
    return json.dumps(value, separators=(",", ":")).encode()


def organization_of(data: bytes, now: float) -> Organization | None:
    """A list that was kept; None: it is none, or of another version of xsession."""
    try:
        value = json.loads(data)
        if value["format"] != _FORMAT:
            return None
        units = tuple(
            OrganizationalUnit(_text(one), _text(name), None if parent is None else _text(parent))
            for one, name, parent in value["units"]
        )
        known = _known_in_order(units)
        accounts = tuple(
            OrganizationAccount(_text(one), _text(name), _text(state), _text(parent), FrozenMap(_tags(tags)))
            for one, name, state, parent, tags in value["accounts"]
        )
        if not all(is_account_id(each.account_id) and each.parent_id in known for each in accounts):
            return None
        if len({each.account_id for each in accounts}) < len(accounts) or not is_account_id(value["management_id"]):
            return None
        if organizations_region(_text(value["partition"])) is None:
            return None
        return Organization(
            id=_text(value["id"]),
            management_id=value["management_id"],
            partition=value["partition"],
            units=units,
            accounts=accounts,
            read_at=moment_of(value["read_at"]),
            seen_at=now,
            has_tags=value["has_tags"] is True,
        )
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _known_in_order(units: tuple[OrganizationalUnit, ...]) -> set[str]:
    known: set[str] = set()
    for unit in units:
        if unit.parent_id is not None and unit.parent_id not in known:
            raise ValueError(unit.id)
        known.add(unit.id)
    return known


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError
    return {_text(key): _text(each) for key, each in value.items()}
