"""The session that a run hands to its function."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from xsession.account_session import AccountSession

from ._category import category

if TYPE_CHECKING:
    from ._rate import Rate


class RunSession(AccountSession):
    """An account's session in a run, whose clients are the run's: those of others stay as they are.

    They don't try again where a service has no endpoint in a region, and keep to the run's rate.
    """

    _rate: Rate | None = None

    @classmethod
    def of(cls, session: AccountSession, rate: Rate | None) -> RunSession:
        """The same account's.

        Args:
            session: The account's, whose shared clients are the run's own.
            rate: How many requests a second, for each service and region; None: as many as they like.
        """
        made = cls(session._resolved, session._clients, session._owner)  # noqa: SLF001 # it is one of them
        made._rate = rate
        return made

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """As `AccountSession.client`."""
        return self._prepared(super().client(*args, **kwargs))

    def get_client(self, *args: Any, **kwargs: Any) -> Any:
        """As `AccountSession.get_client`."""
        return self._prepared(super().get_client(*args, **kwargs))

    def _prepared(self, client: Any) -> Any:
        events, rate = client.meta.events, self._rate
        # By their ids, each of them once.
        events.register("needs-retry", _give_up, unique_id="xsession-run-endpoint")
        if rate is not None:
            kind = self.account_id or self.name, client.meta.region_name, client.meta.service_model.service_name

            def wait(**_event: object) -> None:
                seconds = rate.wait(kind)
                if seconds > 0:
                    time.sleep(seconds)

            # Before it is signed: a signature is good for minutes. Each try of a request counts.
            events.register_first("request-created", wait, unique_id="xsession-run-rate")
        return client


def _give_up(caught_exception: BaseException | None = None, **_event: object) -> None:
    """Ends the tries of a request to a host that does not exist: by itself botocore tries for seconds."""
    if caught_exception is not None and category(caught_exception, None) == "not_in_region":
        raise caught_exception
