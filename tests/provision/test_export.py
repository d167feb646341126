from __future__ import annotations

import json
from typing import Any

from xsession import RoleSpec
from xsession.policies import allow, trust

ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
FULL = RoleSpec(
    "Batman+Reads.Bucket",
    trust=trust("111111111111"),
    permissions=allow("s3:GetObject", resources="arn:aws:s3:::levels/${aws:username}/*"),
    max_session_duration=7200,
    path="/partners/",
    tags={"team": "bats"},
    description="for %{Batman}",
    permissions_boundary=ARN,
    managed_policy_arns=[ARN],
)
PLAIN = RoleSpec("7", trust=trust("111111111111"))


def test_cloudformation_has_the_whole_role() -> None:
    """Under a logical id of letters and digits, with the ARN as output."""
    template = json.loads(FULL.to_cloudformation())
    resource = template["Resources"]["BatmanReadsBucket"]
    assert resource == {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "Batman+Reads.Bucket",
            "Path": "/partners/",
            "Description": "for %{Batman}",
            "MaxSessionDuration": 7200,
            "AssumeRolePolicyDocument": trust("111111111111").to_dict(),
            "Policies": [
                {
                    "PolicyName": "xsession",
                    "PolicyDocument": allow(
                        "s3:GetObject", resources="arn:aws:s3:::levels/${aws:username}/*"
                    ).to_dict(),
                }
            ],
            "ManagedPolicyArns": [ARN],
            "PermissionsBoundary": ARN,
            "Tags": [{"Key": "team", "Value": "bats"}],
        },
    }
    assert template["Outputs"] == {"RoleArn": {"Value": {"Fn::GetAtt": ["BatmanReadsBucket", "Arn"]}}}


def test_cloudformation_says_no_more_than_the_spec() -> None:
    """What is not said is not in the template."""
    (resource,) = json.loads(PLAIN.to_cloudformation())["Resources"].values()
    assert resource["Properties"].keys() == {"RoleName", "Path", "MaxSessionDuration", "AssumeRolePolicyDocument"}
    odd = RoleSpec("_=_", trust=trust("111111111111"))
    assert list(json.loads(odd.to_cloudformation())["Resources"]) == ["Role"]


def interpolated(text: str) -> Any:
    """A document of a Terraform configuration after Terraform's own escapes are gone."""
    return json.loads(text.replace("$${", "${"))


def test_terraform_has_the_role_its_policy_and_its_attachments() -> None:
    """They hang on the role by a reference; IAM's variables are no expressions of Terraform's."""
    resources = json.loads(FULL.to_terraform())["resource"]
    role = resources["aws_iam_role"]["Batman_Reads_Bucket"]
    assert interpolated(role.pop("assume_role_policy")) == trust("111111111111").to_dict()
    assert role == {
        "name": "Batman+Reads.Bucket",
        "path": "/partners/",
        "description": "for %%{Batman}",
        "max_session_duration": 7200,
        "permissions_boundary": ARN,
        "tags": {"team": "bats"},
    }
    reference = "${aws_iam_role.Batman_Reads_Bucket.name}"
    policy = resources["aws_iam_role_policy"]["Batman_Reads_Bucket"]
    assert (policy["role"], policy["name"]) == (reference, "xsession")
    assert "$${aws:username}" in policy["policy"]
    assert interpolated(policy["policy"])["Statement"][0]["Resource"] == "arn:aws:s3:::levels/${aws:username}/*"
    attached = resources["aws_iam_role_policy_attachment"]
    assert attached == {"Batman_Reads_Bucket_1": {"role": reference, "policy_arn": ARN}}


def test_terraform_s_labels_begin_with_a_letter() -> None:
    """A role's name need not; what is not said is not there."""
    resources = json.loads(PLAIN.to_terraform())["resource"]
    assert list(resources) == ["aws_iam_role"]
    assert list(resources["aws_iam_role"]) == ["_7"]
