"""Whether a key may do what it asks for, by the policies that are in force at the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xsession.testing._http import APIRequest, access_denied, unknown_key

from ._access_keys import AccessKey
from ._actions import required_actions
from ._context import RequestEnvironment, context_of
from ._directory import Directory, IAMEntity
from ._not_judged import UnknownRequestError
from ._patterns import Context
from ._permissions import Layer, allow_everything, decide
from ._required_actions import RequiredAction
from ._s3_actions import required_s3_actions


class Authorizer:
    """Judges requests.

    Args:
        directory: Where policies are.
        organizations: Account ids to the ids of their organizations.
    """

    def __init__(self, directory: Directory, organizations: Mapping[str, str]) -> None:
        self._directory = directory
        self._organizations = organizations

    def check(
        self, key: AccessKey, request: APIRequest, time: float, required: Sequence[RequiredAction] | None = None
    ) -> None:
        """Refuses a request that the caller's policies do not allow.

        Args:
            key: Who calls.
            request: The request.
            time: The server's clock, in seconds since 1970.
            required: The actions that must be allowed; None: those that the request takes.

        Raises:
            RefusedError: They do not.
            NotJudgedError: That is not known here.
        """
        environment = RequestEnvironment(time, request.region_name, request.source_ip)
        layers, context = self.limits_of(key, environment, service=request.service, is_json=request.is_json)
        if allow_everything(layers):
            return
        required = self._required(key, request) if required is None else required
        if required is None:
            msg = f"the local AWS does not know which action {request.service}'s {request.operation} takes"
            raise UnknownRequestError(msg)
        for one in required:
            decision = decide(layers, one.action, one.resource, {**context, **one.keys})
            if not decision.allowed:
                reason = decision.because(one.action)
                raise access_denied(
                    key.principal.arn,
                    one.action,
                    one.resource,
                    reason,
                    service=request.service,
                    is_json=request.is_json,
                )

    def _required(self, key: AccessKey, request: APIRequest) -> Sequence[RequiredAction] | None:
        account_id, partition = key.principal.account_id, key.principal.partition
        if request.s3 is not None:
            return required_s3_actions(request.s3, request.http, partition)
        return required_actions(
            request, key.principal, lambda kind, name: self._directory.arn_of(account_id, partition, kind, name)
        )

    def limits_of(
        self, key: AccessKey, environment: RequestEnvironment, *, service: str = "sts", is_json: bool = False
    ) -> tuple[Sequence[Layer], Context]:
        """What limits a caller, and the condition keys of its request.

        Args:
            key: Who calls.
            environment: When and from where.
            service: Which service is called.
            is_json: Whether it answers in JSON.

        Raises:
            RefusedError: The user or the role that the key is for is gone.
        """
        entity = None if key.principal.is_root else self._directory.entity(key.principal, key.user_id)
        if entity is None and not key.principal.is_root:
            raise unknown_key(service=service, is_json=is_json)
        organization_id = self._organizations.get(key.principal.account_id)
        tags = {} if entity is None else entity.tags
        context = context_of(key, environment, tags=tags, organization_id=organization_id)
        return () if entity is None else layers_of(entity, key), context


def layers_of(entity: IAMEntity, key: AccessKey | None = None) -> list[Layer]:
    """What limits a user, a role or its session.

    Args:
        entity: The user or the role.
        key: Whose session policies narrow it.
    """
    layers = [Layer("identity-based policy", entity.policies)]
    if entity.boundary is not None:
        layers.append(Layer("permissions boundary", [entity.boundary]))
    if key is not None and key.session_policies:
        layers.append(Layer("session policy", key.session_policies))
    return layers
