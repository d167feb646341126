"""Links that log a person in to the AWS console with temporary credentials.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from xsession._aws import Console, consoles
from xsession._base import hides_frames
from xsession.credentials import Credentials
from xsession.errors import ConfigError, GrantError

Post = Callable[[str, bytes], bytes]

_SECONDS = 10.0
# No scheme, no host, no way up: it stands behind the home of the console.
_PAGE = re.compile(r"[a-z0-9][a-z0-9-]*(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[!-\[\]-~]*)?(?:#[!-\[\]-~]*)?")
_UPWARD = re.compile(r"//|(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_PRINTABLE = range(0x21, 0x7F)


def console_of(partition: str) -> Console:
    """The console of a partition.

    Raises:
        ConfigError: None is known.
    """
    if partition not in consoles():
        msg = f"no address of the console of the partition {partition} is known"
        raise ConfigError(msg, hint=f"use one of {', '.join(consoles())}")
    return consoles()[partition]


def page_of(console: Console, path: str, region_name: str | None) -> str:
    """The address of a page of a console, which can't be one of another host.

    Args:
        console: Whose page.
        path: A service such as "s3", or a path behind one.
        region_name: The region that it opens in; None: the one that it was last used with.

    Raises:
        ConfigError: The path is none, or leads elsewhere.
    """
    given: object = path
    if not isinstance(given, str) or not _PAGE.fullmatch(given) or _UPWARD.search(given):
        raise ConfigError.invalid(path, "path", 'a service of the console such as "s3", or a path behind one')
    page = f"{console.home}{path if '/' in path else f'{path}/home'}"
    return page if region_name is None or "?" in page or "#" in page else f"{page}?region={region_name}"


def checked_url(name: str, value: str | None) -> str | None:
    """An address that the caller gave.

    Raises:
        ConfigError: It is not an https address.
    """
    given: object = value
    if given is not None and not (
        isinstance(given, str) and given.startswith("https://") and all(ord(one) in _PRINTABLE for one in given)
    ):
        raise ConfigError.invalid(value, name, "an address that begins with https://")
    return value


@hides_frames(GrantError)
def console_url(
    credentials: Credentials, console: Console, *, destination: str | None, issuer: str | None, post: Post
) -> str:
    """A link that logs in; good for 15 minutes, and a secret as long as that.

    The console's session ends with that of the credentials, since none other is asked for: a longer one is refused for
    chained roles, and would outlive a deadline.

    Args:
        credentials: Of a role.
        console: The partition's.
        destination: Where it leads.
        issuer: Where a person whose session has ended logs in again.
        post: Sends a form to an address and brings back the answer.

    Raises:
        GrantError: AWS gave no link.
    """
    session = {
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token,
    }
    form = urllib.parse.urlencode({"Action": "getSigninToken", "Session": json.dumps(session)}).encode()
    failure: GrantError
    try:
        # In the body: addresses end up in logs.
        token = json.loads(post(console.federation, form))["SigninToken"]
        if isinstance(token, str) and token:
            login = {"Action": "login", "Destination": destination or console.home, "SigninToken": token}
            login |= {} if issuer is None else {"Issuer": issuer}
            return f"{console.federation}?{urllib.parse.urlencode(login)}"
        failure = GrantError(f"{console.federation} answered without a token")
    except urllib.error.HTTPError as error:
        error.close()
        failure = GrantError(f"{console.federation} answered {error.code}", retryable=error.code >= 500)
    except (OSError, http.client.HTTPException) as error:
        failure = GrantError(f"{console.federation} could not be asked: {type(error).__name__}", retryable=True)
    except (ValueError, KeyError, TypeError):
        failure = GrantError(f"the answer of {console.federation} could not be read", retryable=True)
    # Raised here, outside of the handlers: their context may hold the answer, and so half of a token.
    raise failure


def post_form(address: str, form: bytes) -> bytes:
    """Sends a form, through the environment's proxy where it names one, and logs nothing.

    Raises:
        OSError: There was no answer, or one that says no.
        HTTPException: The answer is no HTTP, or breaks off.
    """
    request = urllib.request.Request(address, form, method="POST")  # noqa: S310 # all addresses are ours, above
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 # likewise
        body: bytes = answer.read()
        return body
