"""How a role differs from what it should be: pure, in words, and as a plan of what to change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xsession._base import frozen
from xsession._iam import OWN_POLICY, RoleState
from xsession.grants import REVOCATION_PREFIX
from xsession.policies import Policy, as_policy, difference, same_meaning, unified

if TYPE_CHECKING:
    from ._role_spec import RoleSpec

Part: TypeAlias = Literal[
    "role", "path", "permissions_boundary", "settings", "tags", "permissions", "managed_policies", "trust"
]


@frozen
class Difference:
    """One thing that is not as it should be.

    Args:
        part: Which part of the role it is in.
        text: What differs, in words.
    """

    part: Part
    text: str


@frozen(kw_only=True)
class Comparison:
    """How a role in an account differs from its `RoleSpec`; false where nothing differs.

    Args:
        role_name: The role's name.
        role_arn: Its ARN; None: there is no such role.
        differences: What `apply` would change, in words.
        notes: What the role has besides and `apply` leaves alone, such as other people's policies.
        before: What is there, as JSON, external ids included; "" where there is no role.
        after: What should be there, likewise.
    """

    role_name: str
    role_arn: str | None
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    before: str = field(repr=False)
    after: str = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.differences)

    def __str__(self) -> str:
        lines = [f"role {self.role_name}: {len(self.differences) or 'no'} difference(s)"]
        lines += [f"  {text}" for text in self.differences]
        lines += [f"  note: {text}" for text in self.notes]
        return "\n".join(lines)

    def diff(self) -> str:
        """What `apply` would change, as a unified diff, without external ids; empty where nothing differs."""
        return unified("before", self.before, "after", self.after) if self else ""


def compare(spec: RoleSpec, found: RoleState | None) -> Comparison:
    """Compares what is there with what should be."""
    wanted = _document(spec, as_policy(spec.trust), spec.permissions, spec.managed_policy_arns)
    return Comparison(
        role_name=spec.name,
        role_arn=None if found is None else found.arn,
        differences=tuple(difference.text for difference in differences(spec, found)),
        notes=() if found is None else tuple(_notes(spec, found)),
        before="" if found is None else json.dumps(_found_document(spec, found), indent=2),
        after=json.dumps(wanted, indent=2),
    )


def differences(spec: RoleSpec, found: RoleState | None) -> tuple[Difference, ...]:
    """All that differs, in the order in which it is best changed: whom the role trusts comes last."""
    if found is None:
        return (Difference("role", f"there is no role {spec.name}"),)
    return tuple(_differences(spec, found))


def others(spec: RoleSpec, found: RoleState) -> Iterator[str]:
    """What belongs to a role and comes from neither the spec nor a revocation, in words."""
    for name in found.other_policies:
        if not name.startswith(REVOCATION_PREFIX):
            yield f"inline policy {name!r}"
    for arn in found.managed_policy_arns:
        if arn not in spec.managed_policy_arns:
            yield f"attached policy {arn}"


def _differences(spec: RoleSpec, found: RoleState) -> Iterator[Difference]:
    if found.path != spec.path:
        text = f"path is {found.path}, not {spec.path}, and can't be changed: remove the role, or choose another name"
        yield Difference("path", text)
    if spec.permissions_boundary not in (None, found.permissions_boundary):
        text = f"permissions boundary is {found.permissions_boundary}, not {spec.permissions_boundary}"
        yield Difference("permissions_boundary", text)
    if found.max_session_duration != spec.max_session_duration:
        text = f"max session duration is {found.max_session_duration} s, not {spec.max_session_duration} s"
        yield Difference("settings", text)
    if spec.description not in (None, found.description):
        yield Difference("settings", f"description is {found.description!r}, not {spec.description!r}")
    tags = _tags_of(spec, found)
    for key, value in spec.tags.items():
        if tags.get(key) != value:
            yield Difference("tags", f"tag {key!r} is {tags.get(key)!r}, not {value!r}")
    yield from _policy_differences("permissions", found.permissions, spec.permissions)
    for arn in spec.managed_policy_arns:
        if arn not in found.managed_policy_arns:
            yield Difference("managed_policies", f"policy {arn} is not attached")
    yield from _policy_differences("trust", found.trust, spec.trust)


def _policy_differences(
    part: Literal["permissions", "trust"], found: Policy | str | None, wanted: Any
) -> Iterator[Difference]:
    if found is None or wanted is None:
        if found is not wanted:
            yield Difference(part, f"there are no {part}" if found is None else f"there are {part}, and should be none")
    elif isinstance(found, str):
        yield Difference(part, f"{part}: in a form that can't be read")
    else:
        for text in difference(found, wanted):
            yield Difference(part, f"{part}: {text}")


def _notes(spec: RoleSpec, found: RoleState) -> Iterator[str]:
    yield from (f"{text} is left alone, and adds to what the role may do" for text in others(spec, found))
    revocations = [name for name in found.other_policies if name.startswith(REVOCATION_PREFIX)]
    yield from (f"inline policy {name!r} ends older sessions" for name in revocations)
    if spec.permissions_boundary is None and found.permissions_boundary is not None:
        yield f"permissions boundary {found.permissions_boundary} is left alone"
    ours = {key.casefold() for key in spec.tags}
    yield from (f"tag {key!r} is left alone" for key in found.tags if key.casefold() not in ours)


def _document(
    spec: RoleSpec, trust: Policy | str, permissions: Any, managed_policy_arns: Any, **settings: Any
) -> dict[str, Any]:
    document = {
        "Path": spec.path,
        "MaxSessionDuration": spec.max_session_duration,
        "Description": spec.description,
        "PermissionsBoundary": spec.permissions_boundary,
        "Tags": dict(spec.tags),
        **settings,
        f"Policy {OWN_POLICY}": None if permissions is None else _shown(permissions),
        "Attached": sorted(managed_policy_arns),
        "Trust": _shown(trust),
    }
    return {name: value for name, value in document.items() if value not in (None, {}, [])}


def _found_document(spec: RoleSpec, found: RoleState) -> dict[str, Any]:
    """What is there, of what the spec is about; a policy that says the same is shown as the spec writes it."""
    return _document(
        spec,
        _alike(found.trust, spec.trust),
        _alike(found.permissions, spec.permissions),
        set(found.managed_policy_arns) & set(spec.managed_policy_arns),
        Path=found.path,
        MaxSessionDuration=found.max_session_duration,
        Description=None if spec.description is None else found.description,
        PermissionsBoundary=None if spec.permissions_boundary is None else found.permissions_boundary,
        Tags=_tags_of(spec, found),
    )


def _tags_of(spec: RoleSpec, found: RoleState) -> dict[str, str]:
    """The tags that are there and the spec is about, under its keys: IAM takes no notice of their case.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    values = {key.casefold(): value for key, value in found.tags.items()}
    return {key: values[key.casefold()] for key in spec.tags if key.casefold() in values}


def _alike(found: Any, wanted: Any) -> Any:
    both = isinstance(found, Policy) and wanted is not None
    return wanted if both and same_meaning(found, wanted) else found


def _shown(policy: Policy | Mapping[str, Any] | str) -> Any:
    return policy.to_dict() if isinstance(policy, Policy) else policy
