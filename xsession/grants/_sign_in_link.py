"""The link that logs a person in to an account's console, made with the credentials that the account has."""

from __future__ import annotations

from collections.abc import Callable

from xsession._aws import partition_of_region
from xsession._chain import ResolvedAccount
from xsession.credentials import Credentials
from xsession.errors import ConfigError, GrantError

from ._console import Post, checked_url, console_of, console_url, page_of, post_form

AssumeOnce = Callable[[ResolvedAccount], Credentials]


def sign_in_link(
    resolved: ResolvedAccount,
    *,
    current: Callable[[], Credentials],
    assume_once: AssumeOnce,
    issuer: str | None,
    destination: str | None = None,
    path: str | None = None,
    post: Post | None = None,
) -> str:
    """A link that logs in; good for 15 minutes, and a secret as long as that.

    Args:
        resolved: The account.
        current: Its current credentials; raises where they may not be handed on.
        assume_once: Assumes its last role once more, with STS's own duration.
        issuer: Where a person whose session has ended logs in again.
        destination: The page of the console to open; None: its home.
        path: The page by its path: instead of `destination`.
        post: Sends a form to an address and brings back the answer; None: over the network.

    Raises:
        ConfigError: An address that is not https, a path that leads elsewhere, a partition whose console is not known,
            or long-term keys.
        CredentialsError: No credentials could be obtained.
        GrantError: AWS gave no link.
    """
    checked_url("destination", destination)
    checked_url("issuer", issuer)
    hops = resolved.hops
    console = console_of(hops[-1].role.partition if hops else partition_of_region(resolved.sts_region_name))
    if path is not None:
        destination = page_of(console, path, resolved.region_name)
    try:
        # In no variable of this frame: its caller gets the error with it.
        return console_url(
            _accepted(resolved, current, assume_once),
            console,
            destination=destination,
            issuer=issuer,
            post=post_form if post is None else post,
        )
    except GrantError as error:
        error.account = resolved.account.name
        raise


def _accepted(resolved: ResolvedAccount, current: Callable[[], Credentials], assume_once: AssumeOnce) -> Credentials:
    """Credentials that AWS makes a link for: not those of a chosen duration that a role's session asked for."""
    if current().session_token is None:
        msg = "AWS makes no link to the console for long-term keys"
        raise ConfigError(msg, account=resolved.account.name, hint="name an account that is reached by a role")
    if not resolved.hops:
        return current()
    first, *others = resolved.hops
    if not others and not first.role.has_web_identity and resolved.source.frozen().token is None:
        return current()
    credentials = assume_once(resolved)
    # It may have ended while STS answered.
    current()
    return credentials
