"""What AWS says of itself in botocore's models, beside what is written here.

The installed models are read, whichever they are: older ones say less, and nothing that contradicts the newest but for
the length of a source identity, which AWS raised from 64 to 256 in 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.retries.standard
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import InvalidPolicyError, InvalidRoleError, Role, RoleSpec
from xsession._aws import is_like, is_throttling, partition_of_region, partitions, same_code
from xsession._aws._arns import MIN_ARN_CHARACTERS
from xsession._aws._error_codes import _ALIASES, _BUSY, _DEAD_WEB_IDENTITY, _HINTS, _PASSING_IN_IAM, FINAL
from xsession.errors import ConfigError
from xsession.grants import _terms
from xsession.policies import trust
from xsession.policies._limits import MAX_TRUST_POLICY_QUOTA
from xsession.roles._durations import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS

ARN = "arn:aws:iam::222222222222:role/R"
PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
# Codes that every service shares stand on a page of AWS's, and in no model.
COMMON = {
    "AccessDenied",
    "IncompleteSignature",
    "InternalFailure",
    "InvalidAction",
    "InvalidClientTokenId",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "InvalidQueryParameter",
    "MalformedQueryString",
    "MissingAction",
    "MissingAuthenticationToken",
    "MissingParameter",
    "OptInRequired",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "UnknownOperation",
    "ValidationError",
}


@cache
def loader() -> Any:
    """Reads what is installed."""
    return botocore.session.get_session().get_component("data_loader")


@cache
def model(service: str) -> Mapping[str, Any]:
    """A service's model."""
    found: Mapping[str, Any] = loader().load_service_model(service, "service-2")
    return found


def parameter(service: str, operation: str, name: str) -> Mapping[str, Any]:
    """The shape of an operation's parameter."""
    shapes = model(service)["shapes"]
    request = shapes[model(service)["operations"][operation]["input"]["shape"]]
    shape: Mapping[str, Any] = shapes[request["members"][name]["shape"]]
    return shape


def allowed_characters(pattern: str) -> set[str]:
    """The printable characters of ASCII that a model's pattern, a class of characters, takes."""
    plain = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: re.escape(chr(int(match[1], 16))), pattern)
    plain = plain.replace(r"\p{L}\p{Z}\p{N}_", r"\w ")
    return {character for character in PRINTABLE if re.fullmatch(f"(?a:{plain})", character)}


def taken(make: Callable[[Any], object], value: Any) -> bool:
    """Whether a value is taken."""
    try:
        make(value)
    except ConfigError:
        return False
    return True


TEXTS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "RoleSessionName": ("AssumeRole", lambda value: Role(ARN, role_session_name=value)),
    "ExternalId": ("AssumeRole", lambda value: Role(ARN, external_id=value)),
    "SourceIdentity": ("AssumeRole", lambda value: Role(ARN, source_identity=value)),
    "SerialNumber": ("AssumeRole", lambda value: Role(ARN, mfa_serial=value)),
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_lengths_of_options(name: str) -> None:
    """The shortest and the longest are taken, and nothing beyond."""
    operation, make = TEXTS[name]
    shape = parameter("sts", operation, name)
    shortest, longest = shape["min"], shape["max"]
    if name == "SourceIdentity":
        assert longest in (64, 256)
        longest = 256
    lengths = (shortest - 1, shortest, longest, longest + 1)
    assert [taken(make, "1" * length) for length in lengths] == [False, True, True, False]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_characters_of_options(name: str) -> None:
    """One by one."""
    operation, make = TEXTS[name]
    allowed = allowed_characters(parameter("sts", operation, name)["pattern"])
    # Braces make a session name a template; a serial number must not begin like an option of a command.
    assert {character for character in PRINTABLE if taken(make, f"1{character * 8}")} == allowed


def test_the_duration_of_sessions() -> None:
    """Of a role's, with MFA or without, and of one by a web identity."""
    for operation in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        shape = parameter("sts", operation, "DurationSeconds")
        assert (shape["min"], shape["max"]) == (MIN_DURATION_SECONDS, MAX_DURATION_SECONDS)
    seconds = (MIN_DURATION_SECONDS - 1, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS, MAX_DURATION_SECONDS + 1)
    assert [taken(lambda value: Role(ARN, duration_seconds=value), one) for one in seconds] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("start", "make"),
    [
        ("arn:aws:iam::222222222222:role/", Role),
        # The ARN of a policy counts among the characters of session policies, which are as many.
        ("arn:aws:iam::aws:policy/", lambda arn: Role(ARN, policy_arns=[arn])),
    ],
)
def test_the_length_of_arns(start: str, make: Callable[[str], object]) -> None:
    """The shortest that STS takes is shorter than any that can be written."""
    shape = parameter("sts", "AssumeRole", "RoleArn")
    assert model("sts")["shapes"]["PolicyDescriptorType"]["members"]["arn"]["shape"] == "arnType"
    assert shape == model("sts")["shapes"]["arnType"]
    path = "p" * (shape["max"] - len(start) - len("/R")) + "/R"
    assert (taken(make, f"{start}{path}"), taken(make, f"{start}p{path}")) == (True, False)
    assert shape["min"] == MIN_ARN_CHARACTERS < len(start)


def test_tags() -> None:
    """How many, how long, of which characters."""
    shapes = model("sts")["shapes"]
    most = shapes["tagListType"]["max"]
    assert [taken(lambda n: Role(ARN, tags={str(i): "" for i in range(n)}), n) for n in (most, most + 1)] == [
        True,
        False,
    ]
    key, value = shapes["tagKeyType"], shapes["tagValueType"]
    assert [
        taken(lambda n: Role(ARN, tags={"k" * n: "v"}), n)
        for n in (key["min"] - 1, key["min"], key["max"], key["max"] + 1)
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert [taken(lambda n: Role(ARN, tags={"k": "v" * n}), n) for n in (value["max"], value["max"] + 1)] == [
        True,
        False,
    ]
    assert value["min"] == 0
    for shape, make in ((key, lambda one: Role(ARN, tags={one: ""})), (value, lambda one: Role(ARN, tags={"k": one}))):
        assert {one for one in PRINTABLE if taken(make, one)} == allowed_characters(shape["pattern"])


def test_an_mfa_code_has_six_digits() -> None:
    """For both calls that take one: more are not asked for, nor sent."""
    for operation in ("AssumeRole", "GetSessionToken"):
        shape = parameter("sts", operation, "TokenCode")
        assert (shape["min"], shape["max"]) == (6, 6)


def test_the_serial_of_a_session_with_mfa() -> None:
    """Is that of a role's."""
    session, role = (parameter("sts", operation, "SerialNumber") for operation in ("GetSessionToken", "AssumeRole"))
    assert [session[name] for name in ("min", "max", "pattern")] == [role[name] for name in ("min", "max", "pattern")]


def spec(**options: Any) -> RoleSpec:
    """A role to be made."""
    return RoleSpec(options.pop("name", "R"), trust=trust("111111111111"), **options)


def test_the_limits_of_roles() -> None:
    """Of IAM, for names, paths, descriptions and durations."""
    name, path, description, duration = (
        parameter("iam", "CreateRole", one) for one in ("RoleName", "Path", "Description", "MaxSessionDuration")
    )
    longest, most = path["max"], description["max"]
    made: list[tuple[Callable[[Any], object], list[Any]]] = [
        (lambda value: spec(name=value), ["", "r" * name["min"], "r" * name["max"], "r" * (name["max"] + 1)]),
        (lambda value: spec(path=value), ["", "/", f"/{'p' * (longest - 2)}/", f"/{'p' * (longest - 1)}/"]),
        (lambda value: spec(description=value), ["\0", "", "d" * most, "d" * (most + 1)]),
        (
            lambda value: spec(max_session_duration=value),
            [duration["min"] - 1, duration["min"], duration["max"], duration["max"] + 1],
        ),
    ]
    for make, values in made:
        assert [taken(make, value) for value in values] == [False, True, True, False]
    assert {one for one in PRINTABLE if taken(lambda value: spec(name=value), one)} == allowed_characters(
        name["pattern"]
    )
    assert {one for one in PRINTABLE if taken(lambda value: spec(path=f"/{value}/"), one)} == {
        one for one in PRINTABLE if one in allowed_characters(r"[\u0021-\u007E]+")
    }
    assert r"[\u0021-\u007E]+" in path["pattern"]
    assert {one for one in PRINTABLE if taken(lambda value: spec(description=value), one)} == allowed_characters(
        description["pattern"]
    )
    assert parameter("iam", "CreateRole", "AssumeRolePolicyDocument")["max"] >= MAX_TRUST_POLICY_QUOTA


def codes(service: str) -> dict[str, str]:
    """The codes of a service's errors, by the names that its model gives them."""
    shapes = model(service)["shapes"]
    return {
        name: shape.get("error", {}).get("code", name)
        for name, shape in shapes.items()
        if shape.get("exception", False)
    }


def test_codes_are_spelt_as_in_the_models() -> None:
    """A name in a model is an alias of its code, and every code that is decided on is one that AWS sends."""
    known = {**codes("iam"), **codes("sts")}
    assert {name: same_code(code) for name, code in known.items() if name in _ALIASES} == {
        name: alias for name, alias in _ALIASES.items() if name in known
    }
    sent = {same_code(code) for code in known.values()} | COMMON
    assert {*FINAL, *_DEAD_WEB_IDENTITY, *_BUSY, *_PASSING_IN_IAM, *_HINTS} - sent == set()
    # A table with an alias in it would never be asked for it.
    assert not _ALIASES.keys() & {*FINAL, *_DEAD_WEB_IDENTITY, *_BUSY, *_PASSING_IN_IAM, *_HINTS, *_ALIASES.values()}


def test_assuming_a_role_is_refused_in_ways_that_are_known() -> None:
    """Each error of the calls that are made has a meaning here, or passes."""
    operations = model("sts")["operations"]
    shapes = codes("sts")
    used = ("AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken", "GetCallerIdentity")
    sent = {same_code(shapes[error["shape"]]) for name in used for error in operations[name].get("errors", ())}
    # The last one is about contexts, which are not sent.
    assert sent - FINAL <= {"ExpiredToken", "IDPCommunicationError", "InvalidContextAssertion"}


def test_throttling_is_what_botocore_takes_for_it() -> None:
    """But for a quota that is used up, and for transactions, which are busy."""
    checker: Any = botocore.retries.standard.ThrottledRetryableChecker
    found = checker._THROTTLED_ERROR_CODES
    assert {code for code in found if not is_throttling(code)} == {
        "LimitExceededException",
        "TransactionInProgressException",
    }


def is_denied_to_grants(action: str) -> bool:
    """Whether a grant may not do it; IAM ignores case in actions."""
    return any(is_like(action, pattern, ignoring_case=True) for pattern in _terms.OUTLIVING)


READS_OF_IAM = ("Get", "List", "Generate", "Simulate")
# What operations of services began with in November 2026, as far as the letter is that of a read of IAM.
VERBS = (
    "Grant Group Label Launch Leave Lock Logout Lookup Sample Save Scan Schedule Search Select Send Set Setup Share "
    "Shrink Shutdown Sign Signal Start Stop Submit Subscribe Suggest Suspend Swap Switchover Sync Synchronize"
)


def test_grants_change_nothing_of_iam() -> None:
    """Each operation that is not a read is denied, a new one as well; and no read is."""
    operations = model("iam")["operations"]
    changes = {operation for operation in operations if not operation.startswith(READS_OF_IAM)}
    assert {operation for operation in operations if is_denied_to_grants(f"iam:{operation}")} == changes
    # Permissions without an operation.
    assert is_denied_to_grants("iam:PassRole")


knows_signin = pytest.mark.skipif(
    "signin" not in loader().list_available_services("service-2"), reason="this botocore does not know it"
)


@pytest.mark.parametrize(
    ("prefix", "service"),
    [
        ("sts", "sts"),
        ("sso", "sso-admin"),
        ("sso-oauth", "sso-oidc"),
        ("identitystore", "identitystore"),
        ("organizations", "organizations"),
        ("rolesanywhere", "rolesanywhere"),
        pytest.param("signin", "signin", marks=knows_signin),
    ],
)
def test_grants_do_nothing_of_services_that_decide_who_may_do_what(prefix: str, service: str) -> None:
    """Whatever the operation; AWS itself lets nobody deny GetCallerIdentity."""
    assert all(is_denied_to_grants(f"{prefix}:{operation}") for operation in model(service)["operations"])


@given(st.from_regex(r"([A-FH-KM-PRT-Za-fh-km-prt-z]|[Qq][Uu])[A-Za-z0-9]{0,40}", fullmatch=True))
def test_grants_are_denied_what_iam_does_not_have_yet(operation: str) -> None:
    """Whatever verb AWS takes next, but for those that begin as a read does."""
    assert is_denied_to_grants(f"iam:{operation}")


@pytest.mark.parametrize("verb", VERBS.split())
def test_grants_are_denied_verbs_that_begin_as_a_read_does(verb: str) -> None:
    """Those that AWS uses anywhere."""
    assert is_denied_to_grants(f"iam:{verb}Role")


def test_the_actions_of_sts_that_are_named_exist() -> None:
    """In statements that are made here; the last two are permissions without a call."""
    actions = {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken", "GetCallerIdentity"}
    assert actions <= model("sts")["operations"].keys()
    assert not {"TagSession", "SetSourceIdentity"} & model("sts")["operations"].keys()


def test_partitions() -> None:
    """Those of the installed botocore, each with its domain and its regions; a new one is to be added here."""
    known = {one["id"]: one for one in loader().load_data("partitions")["partitions"]}
    assert known.keys() <= partitions().keys()
    for name, one in known.items():
        assert partitions()[name].dns_suffix == one["outputs"]["dnsSuffix"]
        regions = [region for region in one["regions"] if not region.endswith("-global")]
        assert {partition_of_region(region) for region in regions} <= {name}
        assert not regions or partitions()[name].first_region in regions


def test_global_services_are_where_the_first_region_is() -> None:
    """As IAM's endpoint says, where the model has one."""
    for one in loader().load_data("endpoints")["partitions"]:
        endpoints = one["services"].get("iam", {}).get("endpoints", {})
        scope = endpoints.get(f"{one['partition']}-global", {}).get("credentialScope")
        if scope is not None:
            assert partitions()[one["partition"]].first_region == scope["region"]


def test_sign_in_is_where_its_rules_say() -> None:
    """botocore has them since it signs in by itself."""
    if "signin" not in loader().list_available_services("endpoint-rule-set-1"):
        pytest.skip("this botocore does not know the service")
    rules = str(loader().load_service_model("signin", "endpoint-rule-set-1"))
    for partition in partitions().values():
        if partition.console is not None and partition.name != "aws":
            host = partition.console.federation.removeprefix("https://").partition("/")[0]
            assert host.removeprefix(f"{partition.first_region}.") in rules


def test_errors_of_bad_input_are_what_is_compared() -> None:
    """`taken` sees both kinds."""
    assert issubclass(InvalidRoleError, ConfigError)
    assert issubclass(InvalidPolicyError, ConfigError)
