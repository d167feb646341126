"""An STS that answers what a test tells it, over HTTP: for answers that no sane server would give."""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from xsession.testing._http import serve

ROLE = "arn:aws:iam::222222222222:role/R"
SESSION_ARN = "arn:aws:sts::222222222222:assumed-role/R/name"


def answer(**changes: str | None) -> str:
    """The XML of AssumeRole's answer, with parts changed or, if None, left out."""
    parts: dict[str, str | None] = {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "secret-of-the-answer",
        "SessionToken": "token-of-the-answer",
        "Expiration": "2026-01-01T01:00:00Z",
        "Arn": SESSION_ARN,
        **changes,
    }
    credentials = "".join(
        f"<{name}>{value}</{name}>" for name, value in parts.items() if name != "Arn" and value is not None
    )
    user = "" if parts["Arn"] is None else f"<Arn>{parts['Arn']}</Arn><AssumedRoleId>AROA:name</AssumedRoleId>"
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<AssumedRoleUser>{user}</AssumedRoleUser><Credentials>{credentials}</Credentials></AssumeRoleResult>"
        "<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )


def refusal(code: str, message: str = "no") -> str:
    """The XML of an error."""
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>request-2</RequestId></ErrorResponse>"
    )


class ScriptedSTS:
    """Its answers, which a test sets, and the requests that it got."""

    def __init__(self) -> None:
        self.status = 200
        self.body: str | bytes = answer()
        self.date: float | None = None
        self.requests: list[tuple[str, str]] = []
        self.url = ""
        self.before: Callable[[], object] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        self.requests.append((form, environ.get("HTTP_AUTHORIZATION", "")))
        self.before()
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = [("Content-Length", str(len(body)))]
        if self.date is not None:
            headers.append(("Date", email.utils.formatdate(self.date, usegmt=True)))
        start_response(f"{self.status} -", headers)
        return [body]


@contextmanager
def scripted_sts() -> Iterator[ScriptedSTS]:
    """One that runs within the block."""
    app = ScriptedSTS()
    server, thread = serve(app)
    app.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
