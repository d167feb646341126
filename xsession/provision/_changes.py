"""Makes a role what it should be, and waits until that is in force: IAM takes seconds to spread a change.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from xsession._aws import is_busy, is_denied, is_missing, is_unknown_principal
from xsession._base import Clock
from xsession._botocore import SourceSession
from xsession._chain import Source, SourceClients
from xsession._iam import OWN_POLICY, RoleIam, RoleState
from xsession._sts import sts_region
from xsession.errors import CredentialsError, ProvisionError
from xsession.policies import as_policy

from ._attempts import RoleAttempt, attempts
from ._comparison import Comparison, Part, compare, differences, others

if TYPE_CHECKING:
    import boto3

    from xsession.roles import Role

    from ._role_spec import RoleSpec

T = TypeVar("T")
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 4.0
_BOTH_SIDES = "allow it in the caller's policies, see RoleSpec.caller_policy, and name the caller in the trust policy"


class Patience:
    """How long to go on trying.

    Args:
        clock: Both clocks.
        timeout: Seconds in all.
    """

    def __init__(self, clock: Clock, timeout: float) -> None:
        self.clock = clock
        self.timeout = timeout
        self._ends = clock.boot() + timeout
        self._pause = _FIRST_PAUSE_SECONDS

    def pause(self) -> bool:
        """Waits a little, longer each time; returns whether there was time left."""
        left = self._ends - self.clock.boot()
        if left <= 0:
            return False
        self.clock.wait(threading.Event(), min(self._pause, left))
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        return True


def apply(spec: RoleSpec, session: boto3.Session, assume_from: boto3.Session | None, patience: Patience) -> Comparison:
    """Creates the role or changes what differs, and waits; see `RoleSpec.apply`."""
    tries = [] if assume_from is None else attempts(spec, may_have_mfa=partial(_is_temporary, assume_from))
    iam = RoleIam(session, spec.name)
    found = iam.read()
    comparison = compare(spec, found)
    parts = {difference.part for difference in differences(spec, found)}
    if "path" in parts:
        _refuse(comparison.differences[0], comparison.role_arn)
    busy = is_busy
    if found is None:
        found = _insist(partial(iam.create, **_creation(spec)), patience, busy)
        # Until it has spread, IAM does not know the role that it has just made.
        busy = _is_busy_or_missing
        parts = {difference.part for difference in differences(spec, found)}
    for part, change in _CHANGES.items():
        if part in parts:
            _insist(partial(change, iam, spec, found), patience, busy)
    if comparison:
        _wait_for_iam(spec, iam, patience)
    if assume_from is not None:
        _wait_for_sts(tries, found.arn, assume_from, patience)
    return replace(comparison, role_arn=found.arn)


def remove(spec: RoleSpec, session: boto3.Session, patience: Patience, *, force: bool) -> bool:
    """Deletes the role; see `RoleSpec.remove`."""
    iam = RoleIam(session, spec.name)
    found = iam.read()
    if found is None:
        return False
    if found.path != spec.path:
        _refuse(f"path is {found.path}, not {spec.path}: this is another role", found.arn)
    profiles = iam.instance_profiles()
    foreign = [*others(spec, found), *(f"instance profile {name!r}" for name in profiles)]
    if foreign and not force:
        _refuse(f"the role has what is not ours: {', '.join(foreign)}", found.arn, hint="pass force=True to remove it")
    names = [*found.other_policies, *([OWN_POLICY] if found.permissions is not None else [])]
    steps: list[tuple[str, dict[str, str]]] = [
        *(("delete_role_policy", {"PolicyName": name}) for name in names),
        *(("detach_role_policy", {"PolicyArn": arn}) for arn in found.managed_policy_arns),
        *(("remove_role_from_instance_profile", {"InstanceProfileName": name}) for name in profiles),
        ("delete_role", {}),
    ]
    for method, parameters in steps:
        _insist(partial(_delete, iam, method, parameters), patience, is_busy)
    return True


def _delete(iam: RoleIam, method: str, parameters: Mapping[str, Any]) -> None:
    try:
        iam.call(method, **parameters)
    except ProvisionError as error:
        if not is_missing(error.code):
            raise


def _refuse(message: str, role_arn: str | None, hint: str | None = None) -> NoReturn:
    raise ProvisionError(message, role_arn=role_arn, hint=hint)


def _creation(spec: RoleSpec) -> dict[str, Any]:
    parameters = {
        "Path": spec.path,
        "AssumeRolePolicyDocument": as_policy(spec.trust).to_json(),
        "MaxSessionDuration": spec.max_session_duration,
        "Description": spec.description,
        "PermissionsBoundary": spec.permissions_boundary,
        "Tags": _tags(spec),
    }
    return {name: value for name, value in parameters.items() if value not in (None, "", [])}


def _tags(spec: RoleSpec) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in spec.tags.items()]


def _put_boundary(iam: RoleIam, spec: RoleSpec, _found: RoleState) -> None:
    iam.call("put_role_permissions_boundary", PermissionsBoundary=spec.permissions_boundary)


def _update_settings(iam: RoleIam, spec: RoleSpec, found: RoleState) -> None:
    # Both are sent: what UpdateRole does with one that is left out is not documented.
    description = found.description if spec.description is None else spec.description
    iam.call("update_role", Description=description, MaxSessionDuration=spec.max_session_duration)


def _put_tags(iam: RoleIam, spec: RoleSpec, _found: RoleState) -> None:
    iam.call("tag_role", Tags=_tags(spec))


def _put_permissions(iam: RoleIam, spec: RoleSpec, _found: RoleState) -> None:
    if spec.permissions is None:
        iam.call("delete_role_policy", PolicyName=OWN_POLICY)
    else:
        document = as_policy(spec.permissions).to_json()
        iam.call("put_role_policy", PolicyName=OWN_POLICY, PolicyDocument=document)


def _attach_policies(iam: RoleIam, spec: RoleSpec, found: RoleState) -> None:
    for arn in spec.managed_policy_arns:
        if arn not in found.managed_policy_arns:
            iam.call("attach_role_policy", PolicyArn=arn)


def _update_trust(iam: RoleIam, spec: RoleSpec, _found: RoleState) -> None:
    iam.call("update_assume_role_policy", PolicyDocument=as_policy(spec.trust).to_json())


# Whom the role trusts comes last: a new caller never gets what the role could do before.
_CHANGES: Mapping[Part, Callable[[RoleIam, RoleSpec, RoleState], None]] = {
    "permissions_boundary": _put_boundary,
    "settings": _update_settings,
    "tags": _put_tags,
    "permissions": _put_permissions,
    "managed_policies": _attach_policies,
    "trust": _update_trust,
}


def _insist(change: Callable[[], T], patience: Patience, busy: Callable[[str | None], bool]) -> T:
    while True:
        try:
            return change()
        except ProvisionError as error:
            # A managed policy that does not exist is no matter of time.
            passing = busy(error.code) and "attachable" not in error.message
            if not (passing or is_unknown_principal(error.code, error.message)) or not patience.pause():
                raise


def _is_busy_or_missing(code: str | None) -> bool:
    return is_busy(code) or is_missing(code)


def _wait_for_iam(spec: RoleSpec, iam: RoleIam, patience: Patience) -> None:
    while comparison := compare(spec, iam.read()):
        if not patience.pause():
            left = "; ".join(comparison.differences)
            msg = f"role {spec.name} was changed, and after {patience.timeout:g} s IAM still shows: {left}"
            raise ProvisionError(msg, role_arn=comparison.role_arn, retryable=True, hint="apply again")


def _is_temporary(session: boto3.Session) -> bool:
    credentials = session.get_credentials()
    # Without any, that is what will be said.
    return credentials is None or credentials.get_frozen_credentials().token is not None


def _wait_for_sts(tries: Sequence[RoleAttempt], role_arn: str, assume_from: boto3.Session, patience: Patience) -> None:
    clients = SourceClients(assume_from, None, clock=patience.clock)
    source = Source(SourceSession(assume_from), clients, clock=patience.clock, emit=lambda _event: None)
    roles = [one.role.replace(role_arn=role_arn) for one in tries]
    with closing(source):
        while refusal := _refusal(source, roles, assume_from.region_name):
            if is_denied(refusal.code) and all(one.surroundings for one in tries):
                keys = ", ".join(dict.fromkeys(key for one in tries for key in one.surroundings))
                what = f"whether it can be assumed from there depends on where and when that is tried ({keys})"
                hint = "leave assume_from out; or, where these conditions are met here, apply again in some seconds"
                raise _not_assumable(refusal, what, hint) from refusal
            if not patience.pause():
                what = f"can't be assumed from there after {patience.timeout:g} s"
                raise _not_assumable(refusal, what, _BOTH_SIDES) from refusal


def _refusal(source: Source, roles: Sequence[Role], region_name: str | None) -> CredentialsError | None:
    """Why the role can't be assumed yet; None: it can."""
    refusal: CredentialsError | None = None
    for role in roles:
        try:
            source.sts.assume_role(role, source.frozen(), hop=1, region_name=sts_region(role, region_name))
        except CredentialsError as error:
            if not is_denied(error.code) and not error.retryable:
                raise
            refusal = error
        else:
            return None
    return refusal


def _not_assumable(error: CredentialsError, what: str, hint: str) -> ProvisionError:
    return ProvisionError(
        f"the role is set up, and {what}: {error.message}",
        role_arn=error.role_arn,
        code=error.code,
        request_id=error.request_id,
        retryable=True,
        hint=hint,
    )
