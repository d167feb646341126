from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.attacks import ATTACKS, seen
from xsession import Credentials, Identity, Outcome, Outcomes
from xsession.errors import AssumeRoleError

SECRET = "wJalrXUtnFEMI"
KEY = Credentials(access_key_id="AKIA", secret_access_key=SECRET)


def refused(name: str, **changes: Any) -> AssumeRoleError:
    """The error of an account whose role is refused."""
    role = f"arn:aws:iam::{len(name):012}:role/{name}"
    fields: dict[str, Any] = {
        "account": name, "role_arn": role, "hop": 1, "code": "AccessDenied", "request_id": name, "hint": "do this",
    }  # fmt: skip
    return AssumeRoleError(changes.pop("message", f"AccessDenied: not on {role}"), **(fields | changes))


@pytest.mark.parametrize(
    ("other", "together"),
    [
        (refused("b"), True),
        (refused("b", message="AccessDenied: with an explicit deny"), False),
        (refused("b", hop=2), False),
        (refused("b", hint="do that"), False),
        (refused("b", code="Throttling"), False),
        (ValueError("b"), False),
    ],
)
def test_what_failed_alike(other: Exception, together: bool) -> None:
    """Another cause, another hop or another thing to do is another group."""
    outcomes: Outcomes[None] = Outcomes([Outcome("a", None, refused("a"), 0.1), Outcome("b", None, other, 0.1)])
    assert [group.accounts for group in outcomes.failures] == ([("a", "b")] if together else [("a",), ("b",)])


def test_an_outcome_is_a_value() -> None:
    """Two of the same are equal."""
    assert Outcome("a", 1, None, 0.5) == Outcome("a", 1, None, 0.5)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Identity(account_id="222222222222", arn="arn:aws:iam::222222222222:user/x", user_id="A"),
         "arn:aws:iam::222222222222:user/x"),
        (replace(KEY, expiry=datetime(2030, 1, 1, tzinfo=UTC)), "until 2030-01-01 00:00:00 UTC"),
        (KEY, "ok"),
        ({"password": SECRET}, "ok"),
        (None, "ok"),
    ],
)  # fmt: skip
def test_a_result_is_shown_only_where_it_is_ours(value: object, words: str) -> None:
    """What another function returned may be a secret."""
    assert Outcome("a", value, None, 0.1).in_words == words


def test_a_notebook_shows_all_and_why_some_failed() -> None:
    """With the hints, which say what to do."""
    outcomes = Outcomes([Outcome("a", None, refused("a"), 0.104), Outcome("b", 1, None, 0.2, ("one", "two"))])
    text = seen(outcomes._repr_html_()).text
    assert all(line.strip() in text for line in str(outcomes).splitlines())
    assert text.endswith("afailed: AccessDenied0.10-bok0.20one; two")
    other: Outcomes[None] = Outcomes([Outcome("a", None, ValueError(), 0.1)])
    assert "failed: ValueError" in other._as_text()


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_others_wrote_stays_text(text: str) -> None:
    """In errors and notes."""
    outcomes: Outcomes[None] = Outcomes([Outcome("a", None, refused("a", message=text), 0.1, (text,))])
    page = seen(outcomes._repr_html_())
    assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert {key for _, attributes in page.tags for key, _ in attributes} == {"class"}
