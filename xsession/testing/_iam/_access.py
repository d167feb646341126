"""Whether a key may do what it asks for, by the policies that are in force at the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xsession.testing._http import Exchange, denied, unknown_key
from xsession.testing._sts import Key

from ._actions import required_actions
from ._context import Circumstances, context_of
from ._directory import Directory, Holder
from ._not_judged import UnknownRequestError
from ._patterns import Context
from ._permissions import Layer, allow_everything, decide
from ._required_actions import RequiredAction


class Access:
    """Judges requests.

    Args:
        directory: Where policies are.
        organizations: Account ids to the ids of their organizations.
    """

    def __init__(self, directory: Directory, organizations: Mapping[str, str]) -> None:
        self._directory = directory
        self._organizations = organizations

    def check(self, key: Key, exchange: Exchange, time: float, needs: Sequence[RequiredAction] | None = None) -> None:
        """Refuses a request that the caller's policies do not allow.

        Args:
            key: Who calls.
            exchange: The request.
            time: The server's clock, in seconds since 1970.
            needs: What permission is asked for; None: what the request needs.

        Raises:
            RefusedError: They do not.
            NotJudgedError: That is not known here.
        """
        around = Circumstances(time, exchange.region_name, exchange.source_ip)
        layers, context = self.judging(key, around, service=exchange.service, is_json=exchange.is_json)
        if allow_everything(layers):
            return
        needs = self.needs(key, exchange) if needs is None else needs
        if needs is None:
            msg = f"the local AWS does not know which action {exchange.service}'s {exchange.operation} takes"
            raise UnknownRequestError(msg)
        for need in needs:
            decision = decide(layers, need.action, need.resource, {**context, **need.keys})
            if not decision.allowed:
                reason = decision.because(need.action)
                raise denied(
                    key.principal.arn,
                    need.action,
                    need.resource,
                    reason,
                    service=exchange.service,
                    is_json=exchange.is_json,
                )

    def needs(self, key: Key, exchange: Exchange) -> Sequence[RequiredAction] | None:
        """What a request needs permission for; None: it is not known."""
        account_id, partition = key.principal.account_id, key.principal.partition
        if exchange.s3 is not None:
            return exchange.s3.in_partition(partition).needs
        return required_actions(
            exchange.asked_in(account_id, partition),
            lambda kind, name: self._directory.arn_of(account_id, partition, kind, name),
        )

    def judging(
        self, key: Key, around: Circumstances, *, service: str = "sts", is_json: bool = False
    ) -> tuple[Sequence[Layer], Context]:
        """What limits a caller, and the condition keys of its request.

        Args:
            key: Who calls.
            around: The rest of the request.
            service: Which service is called.
            is_json: Whether it answers in JSON.

        Raises:
            RefusedError: The user or the role that the key is for is gone.
        """
        holder = None if key.principal.is_root else self._directory.holder(key.principal, key.user_id)
        if holder is None and not key.principal.is_root:
            raise unknown_key(service=service, is_json=is_json)
        organization_id = self._organizations.get(key.principal.account_id)
        tags = {} if holder is None else holder.tags
        context = context_of(key, around, tags=tags, organization_id=organization_id)
        return () if holder is None else layers_of(holder, key), context


def layers_of(holder: Holder, key: Key | None = None) -> list[Layer]:
    """What limits a user, a role or its session.

    Args:
        holder: The user or the role.
        key: Whose session policies narrow it.
    """
    layers = [Layer("identity-based policy", [named.policy for named in holder.policies])]
    if holder.boundary is not None:
        layers.append(Layer("permissions boundary", [holder.boundary]))
    if key is not None and key.session_policies:
        layers.append(Layer("session policy", key.session_policies))
    return layers
