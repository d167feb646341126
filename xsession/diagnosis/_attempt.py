"""One AssumeRole as it is sent, with what is known of who sends it: the condition keys that AWS sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from xsession._aws import iso_of, name_of
from xsession._base import FrozenMap, frozen
from xsession.policies import CallingPrincipal, RequestKeys
from xsession.roles import Role


@frozen(kw_only=True)
class Attempt:
    """One AssumeRole.

    Args:
        hop: The role's place in its chain, counted from 1.
        role: The role with all its options.
        caller: Who asks.
        region_name: The region whose STS is asked.
        time: When, in seconds since 1970.
        long_term_key: Whether the caller signs with a long-term key, which never passed MFA.
        source_identity: The one that the caller's session has.
        source_identity_known: Whether it is known that it has this one, or none.
        inherited_tags: The transitive tags of the hops before.
        tags_known: Whether it is known that the caller's session has no others.
    """

    hop: int
    role: Role
    caller: CallingPrincipal
    region_name: str
    time: float
    long_term_key: bool = False
    source_identity: str | None = None
    source_identity_known: bool = True
    inherited_tags: Mapping[str, str] = field(default_factory=FrozenMap)
    tags_known: bool = True

    @property
    def tags(self) -> Mapping[str, str]:
        """The session tags of the request, inherited ones included, as far as they are known."""
        return {**self.inherited_tags, **self.role.tags}

    @property
    def identity(self) -> str | None:
        """The source identity of the request: its own, or the one that it inherits."""
        return self.role.source_identity or self.source_identity

    @property
    def actions(self) -> tuple[str, ...]:
        """What both sides must allow."""
        further = {"sts:TagSession": self.tags, "sts:SetSourceIdentity": self.identity}
        return ("sts:AssumeRole", *(action for action, needed in further.items() if needed))

    def keys(self) -> RequestKeys:
        """The condition keys of the request, as far as they are known.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        values = {
            "sts:externalid": _one(self.role.external_id),
            "sts:rolesessionname": _one(self.role.role_session_name),
            "aws:requestedregion": (self.region_name,),
            "aws:currenttime": (iso_of(int(self.time)),),
            "aws:epochtime": (str(int(self.time)),),
            "aws:viaawsservice": ("false",),
            "sts:transitivetagkeys": tuple(self.role.transitive_tag_keys),
            **self._caller_keys(),
            **self._mfa_keys(),
            **{f"aws:requesttag/{key.lower()}": (value,) for key, value in self.tags.items()},
        }
        if self.tags_known:
            values["aws:tagkeys"] = tuple(self.tags)
        if self.source_identity_known:
            values["aws:sourceidentity"] = _one(self.source_identity)
        if self.source_identity_known or self.role.source_identity:
            values["sts:sourceidentity"] = _one(self.identity)
        return RequestKeys(values, all_tags=self.tags_known)

    def _caller_keys(self) -> dict[str, tuple[str, ...]]:
        caller = self.caller
        is_user = ":user/" in caller.arn
        keys = {
            "aws:principalaccount": (caller.account_id,),
            "aws:username": _one(name_of(caller.arn) if is_user else None),
        }
        if is_user or caller.is_root or caller.role is not None:
            keys["aws:principalarn"] = (caller.principal,)
        if is_user or caller.is_root or caller.is_session:
            kind = "User" if is_user else "Account" if caller.is_root else "AssumedRole"
            keys["aws:principaltype"] = (kind,)
        if caller.user_id is not None:
            keys["aws:userid"] = (caller.user_id,)
        return keys

    def _mfa_keys(self) -> dict[str, tuple[str, ...]]:
        present, age = "aws:multifactorauthpresent", "aws:multifactorauthage"
        if self.role.mfa_serial is not None:
            return {present: ("true",), age: ("0",)}
        if self.long_term_key:
            return {present: (), age: ()}
        # A user's temporary credentials may have passed MFA, and nothing shows it.
        return {present: ("false",), age: ()} if self.caller.is_session else {}


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
