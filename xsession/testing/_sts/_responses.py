"""STS's answers, as XML."""

from __future__ import annotations

import uuid

from xsession._aws import iso_of
from xsession.testing._http import HTTPResponse, xml_text
from xsession.testing._iam import AccessKey

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def sts_response(operation: str, result: str) -> HTTPResponse:
    """The answer of an operation; `result` is XML."""
    body = (
        f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return HTTPResponse(200, body.encode())


def assumed_role_xml(issued: AccessKey) -> str:
    """Whose session credentials are for."""
    user = f"<AssumedRoleId>{xml_text(issued.user_id)}</AssumedRoleId><Arn>{xml_text(issued.principal.arn)}</Arn>"
    return f"<AssumedRoleUser>{user}</AssumedRoleUser>"


def credentials_xml(key: AccessKey) -> str:
    """Temporary credentials."""
    ends = iso_of(key.expires or 0)
    return (
        f"<Credentials><AccessKeyId>{key.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{key.secret_access_key}</SecretAccessKey>"
        f"<SessionToken>{key.session_token}</SessionToken><Expiration>{ends}</Expiration></Credentials>"
    )
