from __future__ import annotations

import ast
import copy
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from tools.project import ROOT
from xsession import Role, errors
from xsession.errors import (
    AssumeRoleError,
    ConfigError,
    InvalidPolicyError,
    InvalidRoleError,
    SessionClosedError,
    UnknownAccountError,
    WrongAccountError,
    XSessionError,
    reaching,
    shown,
)
from xsession.roles import Defaults

ROLE = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
MARK = "\u00a7secret"
MEGABYTE = 2**20
CLASSES = [kind for name in errors.__all__ if issubclass(kind := getattr(errors, name), XSessionError)]


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
    """Bad input is a ValueError, an unknown name a KeyError, and all of them an XSessionError."""
    assert issubclass(ConfigError, ValueError)
    assert issubclass(UnknownAccountError, KeyError)
    assert all(issubclass(kind, XSessionError) for kind in CLASSES)


def test_the_tree_in_the_docstring_names_every_error() -> None:
    """The module's first lines name all errors."""
    documented = errors.__doc__ or ""
    assert [kind.__name__ for kind in CLASSES if kind.__name__ not in documented] == []


@pytest.mark.parametrize("kind", [ConfigError, InvalidRoleError, InvalidPolicyError])
def test_a_bad_option_is_named_with_its_value_and_its_rule(kind: type[ConfigError]) -> None:
    """In words for people, and in fields for programs."""
    error = kind.invalid(1, "duration_seconds", "900 to 43200 whole seconds", role_arn=ROLE, hint="take 900")
    assert type(error) is kind
    assert (error.option, error.value, error.rule) == ("duration_seconds", "1", "900 to 43200 whole seconds")
    assert str(error) == f"{ROLE}: duration_seconds 1 is not valid: 900 to 43200 whole seconds; take 900"


def test_the_text_follows_the_fields() -> None:
    """Who knows the option by another name, or the account or the place, says so in a field and not in the text."""
    error = InvalidRoleError.invalid("EU", "sts_region_name", "a region")
    error.option, error.account = "region", "vegeta"
    error.within("profile 'v'").within("config:3")
    assert error.message == "config:3: profile 'v': region 'EU' is not valid: a region"
    assert str(error) == f"account 'vegeta': {error.message}"
    assert repr(error) == f"InvalidRoleError({error.message!r})"


def test_a_place_stands_before_any_message() -> None:
    """Before one that is not about an option as well."""
    assert str(ConfigError("no", hint="try").within("a.toml:1")) == "a.toml:1: no; try"


def test_a_note_comes_after_what_is_wrong() -> None:
    """And before what to do."""
    error = XSessionError("no", request_id="r", hint="try")
    error.note = "failed after 2 tries"
    assert str(error) == "no; failed after 2 tries (request id r); try"


@pytest.mark.parametrize("copied", [copy.copy, ConfigError.for_caller, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_keep_what_is_said_of_an_option(copied: Callable[[ConfigError], ConfigError]) -> None:
    """For another caller, and in another process."""
    error = ConfigError.invalid("x", "max_clients", "a number", account="a").within("code")
    again = copied(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)
    again.option = "another"
    assert error.option == "max_clients"


def test_a_wrong_account_names_both_and_whose_credentials_they_are() -> None:
    """Another source helps where they are the source's own; what STS answered can't be changed."""
    source = WrongAccountError.between("1" * 12, "2" * 12, arn="arn:me", hop=0)
    assert str(source) == (
        "source: the credentials are for account 111111111111, not 222222222222; "
        "give this account another source: they belong to arn:me"
    )
    answered = WrongAccountError.between("1" * 12, "2" * 12, role_arn=ROLE, hop=1, request_id="r")
    assert str(answered) == (
        f"hop 1, {ROLE}: the credentials are for account 111111111111, not 222222222222 (request id r)"
    )


def test_a_closed_session_says_so() -> None:
    """And which account or hop was asked for."""
    error = SessionClosedError.closed(account="vegeta", role_arn=ROLE, hop=1)
    assert str(error) == f"account 'vegeta', hop 1, {ROLE}: the CrossAccountSession is closed; make a new one"


class _Odd:
    """Has whatever repr it is given, and counts how often that is asked for."""

    def __init__(self, text: object) -> None:
        self.text = text
        self.asked = 0

    def __repr__(self) -> str:
        self.asked += 1
        if isinstance(self.text, Exception):
            raise self.text
        return self.text  # type: ignore[return-value]  # a repr may be wrong


_TEXT = st.text() | st.text(max_size=3).map(lambda text: text * 1_000)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.binary()
_VALUES = st.recursive(
    _SCALARS | (_TEXT | st.integers() | st.just(RuntimeError("no repr"))).map(_Odd),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES)
def test_a_message_is_one_short_line_whatever_the_value(value: object) -> None:
    """It ends up in logs and on terminals."""
    message = ConfigError.invalid(value, "option", "rule").message
    assert message.isprintable()
    assert len(message) <= 160
    assert message.startswith("option ")
    assert message.endswith(" is not valid: rule")


def test_what_a_repr_lets_through_is_written_out() -> None:
    """A line feed would begin another line of the log, an escape code colour it."""
    assert shown(_Odd("one\n\x1b[31mtwo")) == r"one\n\x1b[31mtwo"


@given(st.text(min_size=1))
def test_a_session_name_with_odd_placeholders_is_refused_in_one_short_line(name: str) -> None:
    """The rule quotes the placeholder, which is as odd and as long as its author likes."""
    inside = name.replace("{", "").replace("}", "")
    for text in (inside, inside * 1_000):
        with pytest.raises(InvalidRoleError) as caught:
            Role(ROLE, role_session_name=f"{{{text} }}")
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 500


@pytest.mark.parametrize("value", ["x" * MEGABYTE, b"x" * MEGABYTE])
def test_a_megabyte_is_not_written_out_to_be_cut(value: object) -> None:
    """What the message drops anyway costs nothing."""
    shown("warm")
    tracemalloc.start()
    try:
        text = shown(value)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text.endswith("x...")
    assert peak < MEGABYTE / 100


def test_a_repr_is_asked_for_once() -> None:
    """It may be a megabyte long, and slow."""
    odd = _Odd("x" * MEGABYTE)
    error = ConfigError.invalid(odd, "option", "rule")
    assert error.message == str(error) == f"option {'x' * 120}... is not valid: rule"
    assert odd.asked == 1


def test_a_string_that_hides_itself_stays_hidden() -> None:
    """A subclass's own repr is what messages show."""

    class Hidden(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "<hidden>"

    assert shown(Hidden(MARK * 100)) == "<hidden>"


_SECRETS: dict[str, Callable[[str], object]] = {
    "external_id": lambda text: Role(ROLE, external_id=text),
    "web_identity_token": lambda text: Role(ROLE, web_identity_token=text),  # type: ignore[arg-type]  # bad input
    "web_identity_token_file": lambda text: Role(ROLE, web_identity_token_file=f"{text}\0"),
    "mfa_command": lambda text: Defaults(mfa_command=["print", f"{text}\0"]),
}


@pytest.mark.parametrize("option", _SECRETS)
@given(text=st.text())
def test_a_secret_is_nowhere_in_its_error(option: str, text: str) -> None:
    """Neither in the words nor in the fields, nor in what is pickled of it."""
    with pytest.raises(ConfigError) as caught:
        _SECRETS[option](MARK + text)
    error = caught.value
    assert (error.option, error.value) == (option, "(not shown)")
    assert f"{option} (not shown) is not valid: " in str(error)
    for held in (str(error), repr(error), repr(error.args), repr(vars(error))):
        assert MARK not in held
    assert MARK.encode() not in pickle.dumps(error)


def test_a_command_that_can_not_be_split_is_not_shown() -> None:
    """Nor by the parser that refuses it."""
    with pytest.raises(ConfigError, match=r"^mfa_command \(not shown\) is not valid: No closing quotation$") as caught:
        Defaults(mfa_command=f'print "{MARK}')
    assert MARK not in repr(vars(caught.value))


def test_a_boundary_names_the_account_in_a_copy_of_the_callers_own() -> None:
    """What was caught elsewhere stays as it was, the cause comes along, and what has a hop keeps it."""
    cause = ValueError("why")
    error = AssumeRoleError("no", role_arn=ROLE, hop=2)
    error.__cause__ = cause
    with pytest.raises(AssumeRoleError) as caught, reaching("vegeta", role_arn="other", hop=1):
        raise error
    assert caught.value is not error
    assert (caught.value.account, caught.value.role_arn, caught.value.hop) == ("vegeta", ROLE, 2)
    assert caught.value.__cause__ is cause
    assert error.account is None


def test_a_boundary_fills_in_the_hop_where_none_is_known() -> None:
    """The account stays the one that was named already."""
    with pytest.raises(AssumeRoleError) as caught, reaching(role_arn=ROLE, hop=1):
        raise AssumeRoleError(*["no"], account="vegeta")
    assert (caught.value.account, caught.value.role_arn, caught.value.hop) == ("vegeta", ROLE, 1)


def test_a_boundary_lets_other_errors_through() -> None:
    """They are none of its business."""
    with pytest.raises(KeyError, match="other"), reaching("vegeta"):
        raise KeyError("other")  # noqa: EM101 # its message is the key


SIGNING = [kind for kind in CLASSES if issubclass(kind, BotoCoreError)]


def test_what_stops_a_client_from_signing_is_an_error_of_botocores_too() -> None:
    """So `except (ClientError, BotoCoreError)`, as it is written for boto3, goes on working."""
    assert {error.__name__ for error in SIGNING} == {
        "AssumeRoleError",
        "CredentialsError",
        "CredentialsTimeoutError",
        "DeadlinePassedError",
        "MfaError",
        "STSUnavailableError",
        "SessionClosedError",
        "SourceCredentialsError",
        "WrongAccountError",
    }


@pytest.mark.parametrize("kind", SIGNING)
def test_it_is_none_that_means_something_else_to_botocore(kind: type[XSessionError]) -> None:
    """Waiters and `Bucket.load` would take a ClientError for the service's answer."""
    error = kind("no", account="vegeta", hop=1)
    assert not isinstance(error, ClientError | NoCredentialsError)
    assert str(error) == "account 'vegeta', hop 1: no"
    assert dict(error.kwargs) == {}  # type: ignore[attr-defined]  # botocore's
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.account, str(copied)) == (kind, "vegeta", str(error))


def test_handlers_of_botocores_errors_let_ours_through() -> None:
    """Ours says more than that a call failed, and code that catches botocore's must not wrap it."""
    wrong = []
    for path in sorted((ROOT / "xsession").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Try) or path.is_relative_to(ROOT / "xsession" / "testing"):
                continue
            caught = [ast.unparse(handler.type or ast.Constant(None)) for handler in node.handlers]
            broad = [position for position, text in enumerate(caught) if "BotoCoreError" in text]
            ours = [position for position, text in enumerate(caught) if "XSessionError" in text]
            if broad and not (ours and min(ours) <= min(broad)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_a_nested_value_is_shown_as_its_repr_is() -> None:
    """Up to where it is cut, of which nobody waits for the rest."""
    value = [{"a": (1,), "b": [], "c": {"d": frozenset([5])}}, {7}, (1, 2), set(), {}]
    assert shown(value) == repr(value)
    for _ in range(200):
        value = [value, value]
    assert shown(value).startswith("[" * 120)
