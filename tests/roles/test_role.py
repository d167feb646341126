from __future__ import annotations

import math
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import InvalidPolicyError, InvalidRoleError
from xsession.policies import allow
from xsession.roles import Role

ARN = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
OWN_POLICY = "arn:aws:iam::222222222222:policy/ReadOnly"
names = st.text("abcXYZ019_+=,.@-", min_size=2, max_size=64)
tag_texts = st.text(st.characters(categories=["L", "Nd", "Zs"], include_characters="_.:/=+-@"), max_size=40)
options = st.fixed_dictionaries(
    {},
    optional={
        "role_session_name": names,
        "external_id": st.text("abcXYZ019_+=,.@:/-", min_size=2, max_size=1224),
        "duration_seconds": st.integers(900, 43_200),
        "policy_arns": st.lists(st.sampled_from([OWN_POLICY, "arn:aws:iam::aws:policy/ReadOnlyAccess"]), max_size=10),
        "source_identity": names,
        "mfa_serial": st.text("abcXYZ019_+=,.@:/-", min_size=9, max_size=256),
        "tags": st.dictionaries(tag_texts.filter(lambda key: key[:4].lower() != "aws:" and key), tag_texts, max_size=5),
        "policy": st.just(allow("s3:GetObject")),
    },
)


def role(**changes: Any) -> Role:
    """Vegeta's role with these options."""
    return Role(**{"role_arn": ARN, **changes})


@given(options, options)
def test_roles_have_one_key_only_if_they_ask_the_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Two requests that differ never share credentials, and equal ones always do."""
    try:
        one, other = role(**first), role(**second)
    except InvalidRoleError:
        return
    one_request, other_request = one.request(), other.request()
    for request in (one_request, other_request):
        request["PolicyArns"] = sorted(entry["arn"] for entry in request.get("PolicyArns", []))
        request["Tags"] = sorted((entry["Key"], entry["Value"]) for entry in request.get("Tags", []))
    assert (one.key("s") == other.key("s")) == (one_request == other_request)
    assert one.key("s") == role(**first).key("s")


def test_the_key_holds_what_the_request_does_not_show() -> None:
    """The source, the hop before and the STS region tell credentials apart too; the order of tags does not."""
    assert role().key("a") != role().key("b")
    assert role().key("a") != role(sts_region_name="eu-west-1").key("a")
    tagged = role(tags={"a": "1", "b": "2"}, transitive_tag_keys=["a", "b"])
    assert tagged.key("s") == role(tags={"b": "2", "a": "1"}, transitive_tag_keys=["b", "A"]).key("s")
    assert tagged.key("s") != role(tags={"a": "1", "b": "2"}).key("s")
    assert role(policy=allow("s3:*")).key("s") == role(policy=allow("s3:*").to_json()).key("s")
    assert len(role().key("s")) == 64


def test_the_request_has_every_option_in_awss_spelling() -> None:
    """All of AssumeRole's parameters but the MFA code, which is used once."""
    full = role(
        role_session_name="bruce",
        external_id="word",
        duration_seconds=timedelta(minutes=20),
        policy={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}},
        policy_arns=[OWN_POLICY],
        tags={"team": "heroes"},
        transitive_tag_keys=["team"],
        source_identity="bruce.wayne",
        mfa_serial="arn:aws:iam::111111111111:mfa/bruce",
    )
    assert full.request() == {
        "RoleArn": ARN,
        "RoleSessionName": "bruce",
        "ExternalId": "word",
        "DurationSeconds": 1200,
        "Policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
        "PolicyArns": [{"arn": OWN_POLICY}],
        "Tags": [{"Key": "team", "Value": "heroes"}],
        "TransitiveTagKeys": ["team"],
        "SourceIdentity": "bruce.wayne",
        "SerialNumber": "arn:aws:iam::111111111111:mfa/bruce",
    }
    assert role().request() == {"RoleArn": ARN}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"role_arn": "arn:aws:iam::222222222222:user/bruce"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::22222222222:role/R"}, "role_arn"),
        (
            {"role_arn": ARN.replace("2", "\u0662")},
            "role_arn",
        ),
        ({"role_arn": f"arn:aws:iam::222222222222:role/{'r' * 65}"}, "role_arn"),
        ({"role_arn": f"{ARN}\n"}, "role_arn"),
        ({"role_arn": f"arn:aws:iam::222222222222:role/{'p/' * 1100}R"}, "role_arn"),
        ({"role_arn": None}, "role_arn None"),
        ({"role_session_name": "a"}, "role_session_name 'a'"),
        ({"role_session_name": "a" * 65}, "role_session_name"),
        ({"role_session_name": "brüce"}, "role_session_name"),
        ({"role_session_name": 5}, "role_session_name 5"),
        ({"external_id": "x"}, "external_id (not shown)"),
        ({"external_id": "x y"}, "external_id (not shown)"),
        ({"source_identity": "a b"}, "source_identity"),
        ({"source_identity": "aws:bruce"}, "source_identity"),
        ({"mfa_serial": "short"}, "mfa_serial"),
        ({"sts_region_name": "Europe"}, "sts_region_name"),
        ({"duration_seconds": 899}, "duration_seconds 899"),
        ({"duration_seconds": 43_201}, "duration_seconds"),
        ({"duration_seconds": True}, "duration_seconds True"),
        ({"duration_seconds": 900.5}, "duration_seconds"),
        ({"duration_seconds": math.nan}, "duration_seconds"),
        ({"duration_seconds": "900"}, "duration_seconds"),
        ({"duration_seconds": timedelta(days=1)}, "duration_seconds"),
        ({"policy_arns": OWN_POLICY}, "a list of ARNs"),
        ({"policy_arns": 5}, "a list of ARNs"),
        ({"policy_arns": [5]}, "policy_arns 5"),
        ({"policy_arns": ["arn:aws:iam::aws:role/x"]}, "policy_arns"),
        ({"policy_arns": ["arn:aws:iam::333333333333:policy/p"]}, "own account 222222222222"),
        ({"policy_arns": [f"arn:aws:iam::aws:policy/{'p' * 2040}"]}, "policy_arns"),
        ({"tags": ["team"]}, "tags"),
        ({"tags": {str(number): "" for number in range(51)}}, "at most 50"),
        ({"tags": {"": "x"}}, "keys are 1 to 128"),
        ({"tags": {"k" * 129: "x"}}, "keys are 1 to 128"),
        ({"tags": {"aws:x": "x"}}, "do not begin with aws:"),
        ({"tags": {"AWS:x": "x"}}, "do not begin with aws:"),
        ({"tags": {"a!b": "x"}}, "keys are"),
        ({"tags": {5: "x"}}, "keys are"),
        ({"tags": {"a": "x" * 257}}, "the value of 'a'"),
        ({"tags": {"a": "x\ny"}}, "the value of 'a'"),
        ({"tags": {"a": None}}, "the value of 'a'"),
        ({"tags": {"Team": "x", "team": "y"}}, "'Team' is there too"),
        ({"transitive_tag_keys": "team"}, "a list of keys"),
        ({"transitive_tag_keys": 5}, "a list of keys"),
        ({"transitive_tag_keys": ["team"]}, "each is a key of tags"),
        ({"transitive_tag_keys": [5]}, "each is a key of tags"),
        ({"tags": {"team": "x"}, "transitive_tag_keys": ["team", "TEAM"]}, "each key once"),
        ({"web_identity_token": "a.b.c"}, "web_identity_token (not shown)"),
        ({"web_identity_token_file": ""}, "web_identity_token_file (not shown)"),
        ({"web_identity_token_file": 5}, "the path of a file"),
        ({"web_identity_token_file": b"token"}, "the path of a file"),
        ({"web_identity_token_file": "a\0b"}, "the path of a file"),
        ({"web_identity_token_file": "token", "web_identity_token": str}, "both say where the token comes from"),
        ({"web_identity_token_file": "token", "external_id": "word"}, "external_id can't stand beside"),
        ({"web_identity_token_file": "token", "source_identity": "bruce"}, "source_identity can't stand beside"),
        ({"web_identity_token_file": "token", "tags": {"a": "b"}}, "tags can't stand beside"),
        ({"web_identity_token": str, "mfa_serial": "GAHT12345678"}, "mfa_serial can't stand beside"),
        ({"role_session_name": "{usr}"}, "did you mean {user}?"),
    ],
)
def test_what_sts_refuses_is_refused_before_the_network(changes: dict[str, Any], problem: str) -> None:
    """The message names the option, the value and the rule; never a secret."""
    with pytest.raises(InvalidRoleError) as caught:
        role(**changes)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 450


def test_the_external_id_is_not_shown() -> None:
    """It is part of what keeps third parties apart."""
    assert "hush-hush" not in repr(role(external_id="hush-hush"))


def test_a_source_identity_may_not_look_like_awss() -> None:
    """A colon can't be in it anyway, so `aws:` is refused by the characters alone."""
    assert role(source_identity="aws-bruce").source_identity == "aws-bruce"


def test_a_bad_session_policy_names_the_role() -> None:
    """A role with a policy that STS would refuse is refused, and the message says which role."""
    with pytest.raises(InvalidPolicyError, match=ARN):
        role(policy_arns=[OWN_POLICY] * 11)
    with pytest.raises(InvalidPolicyError, match="not valid JSON"):
        role(policy="{")


def test_a_role_knows_its_parts() -> None:
    """Account, partition and name come out of the ARN."""
    chinese = Role("arn:aws-cn:iam::222222222222:role/team/a/Reader")
    assert (chinese.account_id, chinese.partition, chinese.name) == ("222222222222", "aws-cn", "Reader")


def test_a_web_identity_is_part_of_a_role(tmp_path: Path) -> None:
    """The path tells two roles apart, and travels; a function does not, and is not shown."""
    by_path = role(web_identity_token_file=tmp_path / "token")
    assert by_path.web_identity_token_file == str(tmp_path / "token")
    assert by_path.has_web_identity
    assert not role().has_web_identity
    assert by_path.key("s") != role().key("s")
    assert by_path.key("s") != role(web_identity_token_file="other").key("s")
    assert pickle.loads(pickle.dumps(by_path)) == by_path
    by_function = role(web_identity_token=str)
    assert by_function == role(web_identity_token=str)
    assert by_function.has_web_identity
    assert "class 'str'" not in repr(by_function)
    with pytest.raises(TypeError, match="web_identity_token="):
        pickle.dumps(by_function)


def test_roles_are_values() -> None:
    """Equal roles are equal, hash alike, and travel to other processes."""
    first = role(policy=allow("s3:*"), tags={"a": "b"}, policy_arns=[OWN_POLICY])
    second = role(policy=allow("s3:*").to_dict(), tags={"a": "b"}, policy_arns=(OWN_POLICY,))
    assert first == second
    assert hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first


def test_a_copy_with_changes_is_validated_again() -> None:
    """`replace` takes the options that a role has, with the same checks."""
    assert role().replace(external_id="word").external_id == "word"
    with pytest.raises(InvalidRoleError, match="no option 'extrnal_id'"):
        role().replace(extrnal_id="word")
    with pytest.raises(InvalidRoleError, match="duration_seconds"):
        role().replace(duration_seconds=1)
