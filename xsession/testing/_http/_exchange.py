"""One request to the local AWS, with what it says about itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from xsession.testing._iam import Asked

from ._faults import Fault, Faults
from ._s3_requests import S3Request, read_s3_request
from ._signatures import Request, read_signature

# The operations of STS whose proof is a token of an identity provider, not a signature.
UNSIGNED = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})


class Exchange:
    """One request, with what it says about itself.

    Args:
        request: The request.
        environ: WSGI's view of it.
    """

    def __init__(self, request: Request, environ: dict[str, Any]) -> None:
        self.request = request
        self.environ = environ
        self.signature = read_signature(request)
        self.access_key_id = "" if self.signature is None else self.signature.access_key_id
        self.service = self._unsigned_service() if self.signature is None else self.signature.service
        self.is_json = "x-amz-target" in request.headers
        self.parameters = self._form() if self.service in ("sts", "iam", "ec2") else {}
        self.s3: S3Request | None = read_s3_request(request) if self.service == "s3" else None
        self.operation = self._operation()

    @property
    def bucket(self) -> str:
        """The bucket of an S3 request."""
        return "" if self.s3 is None else self.s3.bucket

    @property
    def region_name(self) -> str:
        """The region that it was signed for."""
        return "" if self.signature is None else self.signature.region_name

    @property
    def source_ip(self) -> str:
        """Where it came from."""
        return str(self.environ.get("REMOTE_ADDR", ""))

    def asked_in(self, account_id: str, partition: str) -> Asked:
        """What it asks for in an account."""
        return Asked(
            self.service, self.operation, self.parameters, self.request.body, self.region_name, account_id, partition
        )

    def fault(self, faults: Faults) -> Fault | None:
        """The fault that it meets."""
        return faults.hit(self.service, self.operation, self.parameters.get("RoleArn"))

    def _unsigned_service(self) -> str:
        return "sts" if self._form().get("Action") in UNSIGNED else ""

    def _form(self) -> dict[str, str]:
        text = self.request.body.decode(errors="replace") or self.request.query
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}

    def _operation(self) -> str:
        if self.is_json:
            return self.request.headers["x-amz-target"].rpartition(".")[2]
        if "Action" in self.parameters:
            return self.parameters["Action"]
        return self.request.method if self.s3 is None else self.s3.operation
