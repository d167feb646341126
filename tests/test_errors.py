from __future__ import annotations

import pickle
from typing import Any

import pytest

from xsession import errors
from xsession.errors import AssumeRoleError, ConfigError, UnknownAccountError, XSessionError

ROLE = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, XSessionError)]


def test_an_error_says_where_and_what_to_do() -> None:
    """Account, hop, role, AWS's text, request id and hint are in one line, in that order."""
    error = AssumeRoleError(
        "AccessDenied: no",
        account="vegeta",
        role_arn=ROLE,
        hop=2,
        code="AccessDenied",
        request_id="req-1",
        hint="change the trust policy",
    )
    assert str(error) == (
        f"account 'vegeta', hop 2, {ROLE}: AccessDenied: no (request id req-1); change the trust policy"
    )


@pytest.mark.parametrize(
    ("context", "expected"),
    [({}, "no"), ({"hop": 0}, "source: no"), ({"hint": "try"}, "no; try"), ({"request_id": "r"}, "no (request id r)")],
)
def test_what_is_not_known_is_left_out(context: dict[str, Any], expected: str) -> None:
    """A message has no empty places."""
    assert str(XSessionError("no", **context)) == expected


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_survive_pickling(kind: type[XSessionError]) -> None:
    """Errors of worker processes reach their parent with all that they say."""
    error = kind("no", account="vegeta", role_arn=ROLE, hop=1, code="C", request_id="r", retryable=True, hint="h")
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is kind
    assert vars(copied) == vars(error)
    assert str(copied) == str(error)


def test_each_caller_gets_an_exception_of_its_own() -> None:
    """Tracebacks of many threads don't pile up on one object; the cause stays the same."""
    cause = ValueError("why")
    error = XSessionError("no", account="a")
    error.__cause__ = cause
    fresh = error.for_caller("b")
    assert fresh is not error
    assert (fresh.account, error.account, fresh.__cause__) == ("b", "a", cause)
    assert error.for_caller().account == "a"


def test_errors_are_what_python_programs_expect() -> None:
    """Bad input is a ValueError, an unknown name a LookupError, and all of them an XSessionError."""
    assert issubclass(ConfigError, ValueError)
    assert issubclass(UnknownAccountError, LookupError)
    assert all(issubclass(kind, XSessionError) for kind in CLASSES)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    """Whoever reads the module's first lines knows all errors."""
    documented = errors.__doc__ or ""
    assert [kind.__name__ for kind in CLASSES if kind.__name__ not in documented] == []
