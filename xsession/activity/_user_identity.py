"""Who made a request, by the identity that CloudTrail writes into each event.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Literal

from xsession._aws import Arn, is_account_id, name_of
from xsession._base import frozen

Claim = Literal["source identity", "session name"]

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""Stands for a user name that was mistyped at sign-in, since it may be a password."""

_UNKNOWN = "unknown"
# Sessions whose name a caller chose, by type, and the kind of their ARN.
_SESSIONS = {"AssumedRole": "assumed-role", "FederatedUser": "federated-user"}
# AWS knows these by itself. Users of directories and identity providers are known to others, and AWS repeats it.
_KNOWN_TO_AWS = frozenset({"AWSService", "IAMUser", "IdentityCenterUser", "Root"})
_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}")
_IDENTITY_CENTER = "/aws-reserved/sso.amazonaws.com/"


@frozen(kw_only=True)
class UserIdentity:
    """Who made a request.

    Args:
        kind: CloudTrail's type: "AssumedRole", "IAMUser", "Root", "AWSAccount", "AWSService", ...
        arn: The caller's ARN.
        principal_id: The caller's unique id.
        account_id: The caller's account.
        key_id: The access key.
        user_name: The name of a user, "root", a service's domain, or the id of a user of Identity Center; None for
            sessions.
        role_arn: The role, where the caller is one or a session of one.
        session_name: The name of a session of a role, or of GetFederationToken.
        source_identity: The source identity of a session of a role, or of AssumeRoot.
        is_assumed_root: Whether it is a session of AssumeRoot, and not the root user.
        issuer_arn: The user or root that called GetFederationToken for it.
        issued_to: The instance, function, task that AWS itself gave the session's credentials to, and named it after.
        user_id: The id of the user of Identity Center in whose name the request was made.
        delegate: The account of the product provider that made the request in the name of all this; "unknown" where
            the event has none in its place.
    """

    kind: str | None = None
    arn: str | None = None
    principal_id: str | None = None
    account_id: str | None = None
    key_id: str | None = None
    user_name: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    source_identity: str | None = None
    is_assumed_root: bool = False
    issuer_arn: str | None = None
    issued_to: str | None = None
    user_id: str | None = None
    delegate: str | None = None

    @classmethod
    def of(cls, document: object) -> UserIdentity:
        """The caller of an event; whatever is not as AWS writes it is None.

        Of each type only that is read which AWS documents for it.
        """
        identity = member(document, "userIdentity")
        read = partial(_known, identity)
        # Events of services themselves, such as the rotation of a key, have no type:
        # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html
        kind = read("type") or ("AWSService" if read("invokedBy") else None)
        is_assumed_root = kind == "Root" and _says_yes(member(identity, "sessionContext", "assumedRoot"))
        session_name = _session_name(kind, read("arn"))
        has_source_identity = kind == "AssumedRole" or is_assumed_root
        return cls(
            kind=kind,
            arn=read("arn"),
            principal_id=read("principalId"),
            account_id=read("accountId"),
            key_id=read("accessKeyId"),
            user_name=_user_name(kind, identity),
            role_arn=_role_arn(kind, identity),
            session_name=session_name,
            source_identity=read("sessionContext", "sourceIdentity") if has_source_identity else None,
            is_assumed_root=is_assumed_root,
            issuer_arn=read("sessionContext", "sessionIssuer", "arn") if kind == "FederatedUser" else None,
            issued_to=_issued_to(identity, session_name) if kind == "AssumedRole" else None,
            user_id=read("onBehalfOf", "userId"),
            delegate=_delegate(member(identity, "invokedByDelegate")),
        )

    @property
    def name(self) -> str:
        """What to call the caller: the delegate, else the one whose credentials were used."""
        return self.delegate or self.own_name

    @property
    def own_name(self) -> str:
        """What to call the one whose credentials were used.

        The source identity, what AWS gave the credentials to, the session's name, the user's, or what else is known.
        """
        chosen = self.source_identity or self.issued_to or self.session_name or self.user_name
        account_id = self.account_id if self.kind == "AWSAccount" else None
        return chosen or self.arn or self.principal_id or account_id or _UNKNOWN

    @property
    def names(self) -> frozenset[str]:
        """All names by which the caller can be searched for."""
        is_session = self.kind in _SESSIONS or self.kind == "AWSAccount"
        session = (self.principal_id or "").partition(":")[2] if is_session else ""
        all_names = (
            self.source_identity,
            self.session_name,
            self.user_name,
            self.arn,
            self.role_arn,
            self.principal_id,
            self.key_id,
            self.issuer_arn,
            self.issuer_arn and name_of(self.issuer_arn),
            self.issued_to,
            self.user_id,
            self.delegate,
        )
        return frozenset(filter(None, (*all_names, session))) - {_HIDDEN}

    @property
    def role_name(self) -> str | None:
        """The role's name, without its path."""
        return None if self.role_arn is None else name_of(self.role_arn)

    @property
    def claim(self) -> Claim | None:
        """What `own_name` rests on, where the caller that made the session may have chosen it."""
        if self.source_identity is not None:
            return "source identity"
        return "session name" if self.session_name is not None and self.issued_to is None else None

    @property
    def is_vouched_for(self) -> bool:
        """Whether AWS itself says that it was `name`, and nobody could choose that.

        Identity Center names the sessions of its roles after its users, and lets nobody else change or assume them:
        https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
        """
        if self.delegate is not None:
            return is_account_id(self.delegate)
        if self.claim == "session name":
            role = Arn.of(self.role_arn)
            return role is not None and role.path.startswith(_IDENTITY_CENTER)
        if self.claim is not None or self.is_assumed_root:
            return False
        return self.issued_to is not None or (self.kind in _KNOWN_TO_AWS and self.user_name is not None)


def member(document: object, *path: str) -> object:
    """What is at a place in a JSON document; None: nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def text(document: object, *path: str) -> str | None:
    """The string at a place in a JSON document; None: there is none, or something else."""
    found = member(document, *path)
    return found if isinstance(found, str) and found else None


def _known(document: object, *path: str) -> str | None:
    found = text(document, *path)
    return None if found == _HIDDEN else found


def _says_yes(value: object) -> bool:
    # Anything else than a clear no: in doubt it is not the root user.
    return value not in (None, False, "false")


def _name_in(arn: str | None, service: str, kind: str) -> str | None:
    found = Arn.of(arn)
    if found is None or (found.service, found.kind) != (service, kind) or not found.path:
        return None
    return found.name if found.name not in ("", _HIDDEN) else None


def _session_name(kind: str | None, arn: str | None) -> str | None:
    return _name_in(arn, "sts", _SESSIONS[kind]) if kind in _SESSIONS else None


def _user_name(kind: str | None, identity: object) -> str | None:
    """The user's name where its type has one; the account's alias, for root, is none."""
    if kind == "Root":
        return "root"
    if kind == "AWSService":
        return _known(identity, "invokedBy")
    if kind == "IdentityCenterUser":
        return _known(identity, "onBehalfOf", "userId")
    if kind in _SESSIONS or kind == "AWSAccount":
        return None
    in_arn = _name_in(_known(identity, "arn"), "iam", "user") if kind == "IAMUser" else None
    return _known(identity, "userName") or in_arn


def _role_arn(kind: str | None, identity: object) -> str | None:
    places = {"AssumedRole": ("sessionContext", "sessionIssuer", "arn"), "Role": ("arn",)}
    found = _known(identity, *places[kind]) if kind in places else None
    role = Arn.of(found)
    return found if role is not None and (role.service, role.kind) == ("iam", "role") else None


def _issued_to(identity: object, session_name: str | None) -> str | None:
    """What AWS gave the credentials of a session to, where it says so, and the session has that one's name.

    The rest of the name is the point: a session that a function makes with a name of its choice is not the function's.
    """
    if session_name is None:
        return None
    resource = Arn.of(_known(identity, "inScopeOf", "credentialsIssuedTo"))
    if resource is not None and re.split("[:/]", resource.resource)[-1] == session_name:
        return str(resource)
    delivered = _known(identity, "sessionContext", "ec2RoleDelivery") is not None
    return session_name if delivered and _INSTANCE_ID.fullmatch(session_name) else None


def _delegate(value: object) -> str | None:
    return None if value is None else _known(value, "accountId") or _UNKNOWN
