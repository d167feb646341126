from __future__ import annotations

from typing import Any

import pytest

from xsession.testing._http import APIRequest, HTTPRequest
from xsession.testing._http._signatures import Signature
from xsession.testing._models import is_operation, model_loader


@pytest.mark.parametrize(
    ("service", "operation", "is_known"),
    [
        ("sts", "AssumeRole", True),
        ("sts", "AssumeRoles", False),
        ("iam", "PutUserPermissionsBoundary", True),
        ("lambda", "GET", True),
        ("a-service-of-tomorrow", "Anything", True),
    ],
)
def test_operations_are_those_of_the_models(service: str, operation: str, is_known: Any) -> None:
    """Of services whose requests name one; what can't be told passes."""
    signature = Signature("AKIA1", f"20260101/eu-west-1/{service}/aws4_request", (), "", "", None, presigned=False)
    request = APIRequest(HTTPRequest("POST", "/", "", {}, b""), signature, service, operation, {})
    assert is_operation(request) is is_known


def test_no_profile_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code under test may have named one that does not exist here."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert "s3" in model_loader.__wrapped__().list_available_services("service-2")
