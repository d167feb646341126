"""AWS's rules for AssumeRole, row by row: whatever is inside of them is taken, whatever is outside is refused."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.worlds import BATMAN, World
from xsession import ConfigError, InvalidPolicyError, InvalidRoleError, Role
from xsession.policies import allow

ARN = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
STS: Any = botocore.session.get_session().get_service_model("sts")

WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def text(alphabet: str, shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Texts of these characters, those at the limits of the length among them."""
    edges = [alphabet[0] * shortest, alphabet[-1] * longest]
    return st.one_of(st.text(alphabet, min_size=shortest, max_size=longest), st.sampled_from(edges))


def outside(alphabet: str, shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Texts that are too short, too long, or have one other character in them; spaces, line ends and look-alikes."""
    good = st.text(alphabet, max_size=min(longest, 60))
    strange = st.one_of(
        st.characters(exclude_characters=alphabet + "{}", codec="utf-8"), st.sampled_from("\n \u0661\u00e9\u200b")
    )
    return st.one_of(
        st.text(alphabet, max_size=shortest - 1),
        st.just(alphabet[0] * (longest + 1)),
        st.tuples(good, strange, good).map("".join),
    )


def is_tag_character(char: str) -> bool:
    """Whether a tag may hold it: letters, separators and numbers of all languages, and some signs."""
    return char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN"


account_ids = st.text("0123456789", min_size=12, max_size=12)
paths = st.lists(st.text(PRINTABLE.replace("/", ""), min_size=1, max_size=12), max_size=3).map(
    lambda parts: "".join(f"{part}/" for part in parts)
)
role_names = text(f"{WORD}+=,.@-", 1, 64)
role_arns = st.builds(
    "arn:{}:iam::{}:role/{}{}".format, st.sampled_from(["aws", "aws-cn", "aws-us-gov"]), account_ids, paths, role_names
)
tag_characters = st.characters(codec="utf-8").filter(is_tag_character)
tag_keys = st.one_of(st.text(tag_characters, min_size=1, max_size=128), st.just("k" * 128)).filter(
    lambda key: not key.lower().startswith("aws:")
)
tag_values = st.one_of(st.text(tag_characters, max_size=256), st.just("v" * 256))
tag_maps = st.one_of(
    st.lists(st.tuples(tag_keys, tag_values), max_size=6, unique_by=lambda tag: tag[0].casefold()).map(dict),
    st.just({f"key{number}": "" for number in range(50)}),
)
OWN_POLICY, AWS_POLICY = "arn:aws:iam::222222222222:policy/path/Own", "arn:aws:iam::aws:policy/ReadOnlyAccess"
policy_arns = st.lists(st.sampled_from([OWN_POLICY, AWS_POLICY]), max_size=10)
durations = st.one_of(
    st.integers(900, 43_200), st.sampled_from([900, 43_200]), st.integers(15, 720).map(lambda m: timedelta(minutes=m))
)
policies = st.sampled_from([None, allow("s3:GetObject"), allow("*", resources=["arn:aws:s3:::b/\u00ff"]).to_json()])

ALWAYS: dict[str, st.SearchStrategy[Any]] = {
    "role_session_name": text(f"{WORD}+=,.@-", 2, 64),
    "duration_seconds": durations,
    "policy": policies,
    "policy_arns": policy_arns,
}
SIGNED: dict[str, st.SearchStrategy[Any]] = {
    **ALWAYS,
    "external_id": text(f"{WORD}+=,.@:/-", 2, 1_224),
    "source_identity": text(f"{WORD}+=,.@-", 2, 256),
    "tags": tag_maps,
}
DEVICES = st.tuples(text(WORD.replace("_", ""), 1, 1), text(f"{WORD}+=/:,.@-", 8, 255)).map("".join)


@st.composite
def options(draw: st.DrawFn, known: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Valid options, with some of the tags' keys as transitive ones."""
    chosen = draw(st.fixed_dictionaries({}, optional=known))
    if chosen.get("tags"):
        chosen["transitive_tag_keys"] = draw(st.lists(st.sampled_from(sorted(chosen["tags"])), unique=True))
    return dict(chosen)


def problems(operation: str, request: dict[str, Any]) -> bool:
    """Whether botocore finds something wrong with the parameters of a call."""
    report = ParamValidator().validate(request, STS.operation_model(operation).input_shape)
    return bool(report.has_errors())


@given(role_arns, options({**SIGNED, "mfa_serial": DEVICES}))
def test_what_we_accept_botocore_accepts(arn: str, chosen: dict[str, Any]) -> None:
    """All of AssumeRole's parameters, over the whole of their ranges."""
    arns = [found for found in chosen.pop("policy_arns", []) if found.split(":")[4] == "aws"]
    request = Role(arn, **{"role_session_name": "name", "policy_arns": arns, **chosen}).request()
    assert not problems("AssumeRole", {**request, "TokenCode": "123456"})


@given(role_arns, options({name: ALWAYS[name] for name in ("role_session_name", "duration_seconds", "policy")}))
def test_what_we_accept_for_a_web_identity_botocore_accepts(arn: str, chosen: dict[str, Any]) -> None:
    """It takes no other parameter."""
    request = Role(arn, **{"role_session_name": "name", **chosen, "web_identity_token_file": "token"}).request()
    assert not problems("AssumeRoleWithWebIdentity", {**request, "WebIdentityToken": "a.b.c"})


def test_what_we_accept_a_strict_sts_accepts(world: World) -> None:
    """Over HTTP, in the form that botocore gives it."""
    arn = world.vegeta.role("BatmanReadsBucket", trusts=BATMAN, max_session_duration=43_200)
    xs = world.session()

    @settings(max_examples=25)
    @given(options({**SIGNED, "policy_arns": st.lists(st.just(AWS_POLICY), max_size=10)}))
    def accepted(chosen: dict[str, Any]) -> None:
        credentials = xs.get_frozen_credentials(Role(arn, **chosen))
        assert credentials.source_identity == chosen.get("source_identity")
        if "role_session_name" in chosen:
            assert str(credentials.arn).endswith(f"/{chosen['role_session_name']}")

    accepted()


def refuse(kind: type[ConfigError], field: str, value: Any, shown: str | None = None, **others: Any) -> None:
    """The value is refused, with the field, and the value unless it is a secret."""
    with pytest.raises(kind) as caught:
        Role(**{"role_arn": ARN, **others, field: value})
    message = str(caught.value)
    assert field in message
    assert caught.value.role_arn == (None if field == "role_arn" else ARN)
    if shown is not None:
        assert shown[:120] in message


@given(
    st.one_of(
        st.builds("arn:aws:iam::{}:role/{}".format, account_ids, outside(f"{WORD}+=,.@-/", 1, 64)).filter(
            lambda arn: "/" not in arn.partition(":role/")[2] or len(arn) > 90
        ),
        st.builds("arn:aws:iam::{}:role/Name".format, outside("0123456789", 12, 12)),
        st.sampled_from(["", "Name", "arn:aws:sts::222222222222:assumed-role/R/s", f"{ARN}/", f" {ARN}", f"{ARN}\n"]),
        st.none() | st.integers() | st.binary(),
    )
)
def test_what_is_no_role_arn_is_refused(arn: Any) -> None:
    """A user's, a session's, one with another count of digits, one with a line's end."""
    refuse(InvalidRoleError, "role_arn", arn, repr(arn))


@pytest.mark.parametrize(
    ("field", "signs", "shortest", "longest"),
    [
        ("role_session_name", "+=,.@-", 2, 64),
        ("source_identity", "+=,.@-", 2, 256),
        ("mfa_serial", "+=/:,.@-", 9, 256),
    ],
)
def test_text_outside_of_its_rule_is_refused(field: str, signs: str, shortest: int, longest: int) -> None:
    """Too short, too long, one strange character; and what is no text."""

    @given(st.one_of(outside(WORD + signs, shortest, longest), st.integers(), st.binary(), st.booleans()))
    def refused(value: Any) -> None:
        refuse(InvalidRoleError, field, value, repr(value))

    refused()


@given(st.one_of(outside(f"{WORD}+=,.@:/-", 2, 1_224), st.integers()))
def test_an_external_id_outside_of_its_rule_is_refused_and_not_shown(value: Any) -> None:
    """It may be the right one but for a space at its end."""
    with pytest.raises(InvalidRoleError, match=r"external_id \(not shown\)") as caught:
        Role(ARN, external_id=value)
    assert len(str(value)) < 8 or str(value) not in str(caught.value)


@given(
    st.one_of(
        st.integers().filter(lambda seconds: not 900 <= seconds <= 43_200),
        st.floats().filter(lambda seconds: seconds != seconds // 1 or not 900 <= seconds <= 43_200),
        st.timedeltas().filter(lambda delta: not 900 <= delta.total_seconds() <= 43_200),
        st.booleans(),
        st.text(),
    )
)
def test_a_duration_outside_of_its_rule_is_refused(value: Any) -> None:
    """Not a number, part of a second, a day, True."""
    refuse(InvalidRoleError, "duration_seconds", value, repr(value))


@given(
    st.one_of(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
            lambda key: not all(map(is_tag_character, key))
        ),
        st.sampled_from(["", "k" * 129, "aws:x", "AWS:x", "aWs:"]),
        st.integers(),
    )
)
def test_a_tag_key_outside_of_its_rule_is_refused(key: Any) -> None:
    """Also one that AWS keeps for itself."""
    refuse(InvalidRoleError, "tags", {key: "value"}, repr(key))


@given(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda text: not all(map(is_tag_character, text))),
        st.just("v" * 257),
        st.none() | st.integers() | st.binary(),
    )
)
def test_a_tag_value_outside_of_its_rule_is_refused(value: Any) -> None:
    """With the key that it belongs to."""
    refuse(InvalidRoleError, "tags", {"key": value}, "'key'")


@given(tag_maps.filter(bool), st.data())
def test_tag_keys_that_differ_by_case_alone_are_refused(tags: dict[str, str], data: st.DataObject) -> None:
    """To STS they are one."""
    key = data.draw(st.sampled_from(sorted(tags)))
    other = key.swapcase()
    if other in tags or other.casefold() != key.casefold():
        return
    assert len({**tags, other: ""}) == len(tags) + 1
    refuse(InvalidRoleError, "tags", {**tags, other: ""})


@given(tag_maps, tag_keys)
def test_a_transitive_key_that_is_no_tags_is_refused(tags: dict[str, str], key: str) -> None:
    """STS would refuse it."""
    if key.casefold() not in {known.casefold() for known in tags}:
        refuse(InvalidRoleError, "transitive_tag_keys", [key], repr(key), tags=tags)


@given(st.integers(11, 30), st.sampled_from(["arn:aws:iam::aws:policy/A"]))
def test_more_than_ten_policy_arns_are_refused(count: int, arn: str) -> None:
    """With their number."""
    refuse(InvalidPolicyError, "policy_arns", [arn] * count, str(count))


@given(account_ids.filter(lambda found: found != "222222222222"))
def test_a_policy_of_another_account_is_refused(account_id: str) -> None:
    """With the account that it should be of."""
    refuse(InvalidRoleError, "policy_arns", [f"arn:aws:iam::{account_id}:policy/P"], "222222222222")


@given(st.integers(1, 2_300), st.integers(0, 10))
def test_session_policies_are_2048_characters_together_at_most(padding: int, count: int) -> None:
    """The inline one as it is sent, and the ARNs."""
    policy, arns = allow("s3:GetObject", sid="a" * padding), ["arn:aws:iam::aws:policy/P"] * count
    size = len(policy.to_json()) + sum(map(len, arns))
    if size <= 2_048:
        request = Role(ARN, policy=policy, policy_arns=arns).request()
        assert len(request["Policy"]) + sum(map(len, arns)) == size
    else:
        with pytest.raises(InvalidPolicyError, match=str(size)):
            Role(ARN, policy=policy, policy_arns=arns)
