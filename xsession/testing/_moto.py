"""moto: its storage, and its application, which answers whatever has no rule of ours."""

from __future__ import annotations

import io
import linecache
import traceback
from typing import Any

from xsession import ConfigError
from xsession.testing._http import APIRequest, HTTPResponse, RefusedError, WSGIApp, unknown_operation
from xsession.testing._iam import UnknownRequestError

from ._models import is_operation

# How services say that a request is not as it should be.
_INVALID = {"s3": "InvalidRequest", "ec2": "InvalidParameterValue", "iam": "ValidationError", "sts": "ValidationError"}
_INVALID_ELSEWHERE = "ValidationException"


class Moto:
    """moto, of which a process has one.

    Args:
        get_backend: A service's storage, by its name.
        reset: Empties all.
        app: Its application.
    """

    def __init__(self, get_backend: Any, reset: Any, app: WSGIApp) -> None:
        self._get_backend = get_backend
        self._reset = reset
        self._app = app

    def reset(self) -> None:
        """Empties it."""
        self._reset()

    def iam(self, account_id: str, partition: str) -> Any:
        """An account's IAM.

        Raises:
            RefusedError: There is no such partition.
        """
        try:
            return self._get_backend("iam")[account_id][partition]
        except KeyError:
            raise RefusedError(400, "ValidationError", f"{partition} is not a partition") from None

    def all_iam(self) -> list[Any]:
        """The IAM of all accounts that have one."""
        return [iam for partitions in list(self._get_backend("iam").values()) for iam in list(partitions.values())]

    def bucket_owner(self, bucket: str) -> str | None:
        """The account that a bucket is in; None: there is no such bucket."""
        _, account_id = self._get_backend("s3").bucket_accounts.get(bucket, (None, None))
        return account_id  # type: ignore[no-any-return]  # moto is not typed for us

    def answer(self, environ: dict[str, Any], request: APIRequest, account_id: str) -> HTTPResponse:
        """Does what a request asks for.

        Args:
            environ: The request, as WSGI describes it.
            request: The request, which has been read.
            account_id: The account to do it in.

        Raises:
            RefusedError: moto fails over it, as it does over what AWS would refuse.
            UnknownRequestError: moto has no such operation.
        """
        body = request.http.body
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account_id
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
            started.append((status, headers))

        try:
            payload = b"".join(self._app(environ, start_response))
        except NotImplementedError as error:
            msg = f"moto has no {request.service} {request.operation}"
            raise UnknownRequestError(msg) from error
        except Exception as error:
            if not is_operation(request):
                raise unknown_operation(request.operation, is_json=request.is_json) from error
            # It checks little of what it reads: what is missing or of another type is such an error.
            message = f"The local AWS could not read this request: {type(error).__name__}: {error}"
            raise RefusedError(400, _INVALID.get(request.service, _INVALID_ELSEWHERE), message) from error
        status, headers = started[-1]
        named = {name.title(): value for name, value in headers}
        content_type = named.pop("Content-Type", "application/octet-stream")
        number = int(status.split()[0])
        if (
            number >= 400
            and (not payload or content_type.startswith("text/html"))
            and environ["REQUEST_METHOD"] != "HEAD"
        ):
            # What no operation of moto's has answered.
            code = "MethodNotAllowed" if number == 405 else _INVALID.get(request.service, _INVALID_ELSEWHERE)
            raise RefusedError(
                min(number, 499) if number < 500 else 400, code, f"The local AWS knows no such request: {status}"
            )
        return HTTPResponse(number, payload, content_type, None if number < 400 else status, named)


def load_moto() -> Moto:
    """moto, imported.

    Raises:
        ConfigError: The extra `xsession[testing]` is not installed, or is broken.
    """
    try:
        from moto.backends import get_backend  # noqa: PLC0415 # comes with the extra, and takes a second
        from moto.core.base_backend import BackendDict  # noqa: PLC0415
        from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    except Exception as error:
        # What is installed but broken is no missing extra; it may raise anything.
        option = "" if isinstance(error, ModuleNotFoundError) else "--force-reinstall "
        msg = f"the local AWS can't be imported: {error}{_importing(error)}"
        raise ConfigError(msg, hint=f"pip install {option}'xsession[testing]'") from error
    return Moto(get_backend, BackendDict.reset, DomainDispatcherApplication(create_backend_app))


def _importing(error: BaseException) -> str:
    """Which module was being imported, by which line of which other one: an error of a library need not say so."""
    found = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        line = linecache.getline(frame.f_code.co_filename, number).strip()
        if frame.f_code.co_name == "<module>" or line.startswith(("import ", "from ")):
            found = f" ({frame.f_globals.get('__name__')}: {line})"
    return found
