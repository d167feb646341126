"""Token files: regular ones, and of bounded size. botocore opens whatever is named, and waits for a FIFO for ever."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from botocore.utils import FileWebIdentityTokenLoader

from xsession._base import read_regular_file
from xsession.errors import SourceCredentialsError

MAX_TOKEN_CHARACTERS = 20_000
_MAX_FILE_BYTES = MAX_TOKEN_CHARACTERS + 1_000  # with some white space around it
_CONTAINER_VARIABLE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


def read_token_file(path: Path) -> tuple[str, str | None]:
    """The text of a token file, and what is wrong with the file; None: nothing is."""
    try:
        data, _ = read_regular_file(path.expanduser(), _MAX_FILE_BYTES)
        if len(data) > _MAX_FILE_BYTES:
            return "", f"the file has more than {_MAX_FILE_BYTES} bytes, and STS takes {MAX_TOKEN_CHARACTERS}"
        return data.decode("ascii").strip(), None
    except OSError as error:
        return "", f"the file can't be read: {error.strerror}"
    except ValueError:
        return "", "the file holds other characters than a token's"


def guard_providers(providers: Any) -> None:
    """Has botocore's providers of credentials read the container endpoint's token file as `read_token_file` does."""
    for provider in providers:
        if hasattr(provider, "_build_headers") and "_build_headers" not in vars(provider):
            provider._build_headers = partial(_container_headers, provider)


def guard_credentials(credentials: Any) -> Any:
    """The credentials, whose token file, if they have one, is read as `read_token_file` does from now on."""
    refresh = getattr(credentials, "_refresh_using", None)
    # With MFA there is one more around it.
    fetcher = getattr(getattr(refresh, "_refresh", refresh), "__self__", None)
    loader = getattr(fetcher, "_web_identity_token_loader", None)
    if type(loader) is FileWebIdentityTokenLoader:
        path: Any = getattr(loader, "_web_identity_token_path", None)
        fetcher._web_identity_token_loader = partial(_token, "the web identity token", path)  # type: ignore[union-attr]  # it has one
    behind = getattr(fetcher, "_source_credentials", None)
    if behind is not None:
        guard_credentials(behind)
    return credentials


def _container_headers(provider: Any) -> dict[str, str] | None:
    path = provider._environ.get(_CONTAINER_VARIABLE)
    if path is None:
        headers: dict[str, str] | None = type(provider)._build_headers(provider)
        return headers
    return {"Authorization": _token("the token of the container's credentials", path)}


def _token(what: str, path: str) -> str:
    text, problem = read_token_file(Path(path))
    if problem is None and any(map(str.isspace, text)):
        problem = "the file holds other characters than a token's"
    if problem is None:
        return text
    msg = f"{what} ({path}) is not valid: {problem}"
    raise SourceCredentialsError(msg, hop=0, hint="correct the file, or what names it")
