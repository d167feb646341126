"""Parameters of IAM's operations that moto takes and forgets: what depends on them can't be judged."""

from __future__ import annotations

from collections.abc import Mapping

from ._not_judged import UnknownRequestError

_OF_SIGN_IN = frozenset({"MaxSigninSessionDuration", "ResetMaxSigninSessionDuration"})
_OF_SAML = frozenset({"AssertionEncryptionMode", "AddPrivateKey", "ContextProvider", "IdentityCenterInstanceArn"})
_REFUSED: Mapping[str, frozenset[str]] = {
    "CreateLoginProfile": _OF_SIGN_IN | {"PasswordResetRequired"},
    "CreateOpenIDConnectProvider": frozenset({"ContextProvider", "IdentityCenterInstanceArn"}),
    "CreateRole": _OF_SIGN_IN,
    "CreateSAMLProvider": _OF_SAML | {"Tags"},
    "CreateVirtualMFADevice": frozenset({"Tags"}),
    "GetSSHPublicKey": frozenset({"Encoding"}),
    "ListEntitiesForPolicy": frozenset({"PolicyUsageFilter"}),
    "ListGroups": frozenset({"PathPrefix"}),
    "ListInstanceProfiles": frozenset({"PathPrefix"}),
    "ListPolicies": frozenset({"PolicyUsageFilter"}),
    "ListServerCertificates": frozenset({"PathPrefix"}),
    "UpdateLoginProfile": _OF_SIGN_IN,
    "UpdateRole": _OF_SIGN_IN,
    "UpdateSAMLProvider": _OF_SAML | {"RemovePrivateKey", "RemoveContextProvider", "RemoveIdentityCenterInstance"},
    "UploadServerCertificate": frozenset({"Tags"}),
}


def refuse_ignored(operation: str, parameters: Mapping[str, str]) -> None:
    """Refuses a request of IAM that asks for what moto would forget.

    Args:
        operation: "CreateUser", ...
        parameters: The form.

    Raises:
        UnknownRequestError: It does.
    """
    given = {name.partition(".")[0] for name in parameters}
    for name in sorted(given & _REFUSED.get(operation, frozenset())):
        msg = f"the local AWS does not keep {name} of IAM's {operation}"
        raise UnknownRequestError(msg)
