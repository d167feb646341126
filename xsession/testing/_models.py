"""botocore's models of AWS's services."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session

from xsession.testing._http import WITH_FORM, APIRequest


@functools.cache
def model_loader() -> Any:
    """What reads them; one for all sessions of a process: it keeps what it has read."""
    # A profile of the environment may not exist, and has no say in it.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return session.get_component("data_loader")


def is_operation(request: APIRequest) -> bool:
    """Whether AWS has the operation that a request names; one that names none, or a service of no model, passes."""
    if not request.is_json and request.service not in WITH_FORM:
        return True
    known = _operations(request.service)
    return known is None or request.operation in known


@functools.cache
def _operations(service: str) -> frozenset[str] | None:
    loader = model_loader()
    if service not in loader.list_available_services("service-2"):
        return None
    return frozenset(loader.load_service_model(service, "service-2")["operations"])
