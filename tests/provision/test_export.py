from __future__ import annotations

import json
from typing import Any

import pytest

from xsession import ConfigError, RoleSpec
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
NUMBER: Any = 5


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


def test_a_stack_set_is_of_all_accounts_below_ous() -> None:
    """AWS deploys it, to accounts that join later too; in one region, since the role is global."""
    text = FULL.to_stack_set(["ou-ab12-11111111", "r-ab12"], exclude=["333333333333"], region_name="eu-west-1")
    (resource,) = json.loads(text)["Resources"].values()
    assert resource["Type"] == "AWS::CloudFormation::StackSet"
    properties = resource["Properties"]
    assert json.loads(properties.pop("TemplateBody")) == json.loads(FULL.to_cloudformation())
    assert properties == {
        "StackSetName": "Batman-Reads-Bucket",
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "CallAs": "SELF",
        "StackInstancesGroup": [
            {
                "DeploymentTargets": {
                    "OrganizationalUnitIds": ["ou-ab12-11111111", "r-ab12"],
                    "AccountFilterType": "DIFFERENCE",
                    "Accounts": ["333333333333"],
                },
                "Regions": ["eu-west-1"],
            }
        ],
        "OperationPreferences": {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
    }
    (plain,) = json.loads(PLAIN.to_stack_set(["r-ab12"], delegated_admin=True))["Resources"].values()
    assert plain["Properties"]["StackSetName"] == "role-7"
    assert plain["Properties"]["CallAs"] == "DELEGATED_ADMIN"
    assert "Accounts" not in plain["Properties"]["StackInstancesGroup"][0]["DeploymentTargets"]


def test_a_terraform_module_is_for_many_accounts() -> None:
    """A provider for each, which works in that account alone, and the same module."""
    files = PLAIN.to_terraform_module({"vegeta": "222222222222", "k.r": "333333333333"}, region_name="us-gov-west-1")
    main, role = json.loads(files["main.tf.json"]), json.loads(files["role/main.tf.json"])
    assert main["provider"]["aws"][1] == {
        "alias": "k_r",
        "region": "us-gov-west-1",
        "allowed_account_ids": ["333333333333"],
        "assume_role": [{"role_arn": "arn:aws-us-gov:iam::333333333333:role/OrganizationAccountAccessRole"}],
    }
    assert main["module"]["vegeta"] == {"source": "./role", "providers": {"aws": "aws.vegeta"}}
    assert main["output"]["role_arns"]["value"]["k.r"] == "${module.k_r.role_arn}"
    assert role["resource"] == json.loads(PLAIN.to_terraform())["resource"]
    assert role["output"] == {"role_arn": {"value": "${aws_iam_role._7.arn}"}}


def test_a_name_is_no_expression_of_terraforms() -> None:
    """AWS lets an account have any name."""
    (text, _) = PLAIN.to_terraform_module({'${file("/etc/passwd")}': "222222222222"}).values()
    assert list(json.loads(text)["output"]["role_arns"]["value"]) == ['$${file("/etc/passwd")}']


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PLAIN.to_stack_set([]), "at least one id of an OU"),
        (lambda: PLAIN.to_stack_set(["Workloads"]), "organizational_unit_ids 'Workloads' is not valid: ids of OUs"),
        (lambda: PLAIN.to_stack_set("r-ab12"), "organizational_unit_ids 'r-ab12' is not valid"),
        (lambda: PLAIN.to_stack_set(["r-ab12"], exclude=["1"]), "exclude '1' is not valid: 12-digit account ids"),
        (lambda: PLAIN.to_terraform_module({}), "at least one account"),
        (lambda: PLAIN.to_terraform_module({NUMBER: "222222222222"}), "accounts 5 is not valid: account ids by name"),
        (lambda: PLAIN.to_terraform_module({"a": "222222222222"}, role_name="${x}"), "role_arn .* is not valid"),
        (lambda: PLAIN.to_terraform_module({"a": "1"}), r"accounts\['a'\] '1' is not valid: a 12-digit account id"),
        (
            lambda: PLAIN.to_terraform_module({"a.b": "222222222222", "a_b": "333333333333"}),
            "'a.b' and 'a_b' would both be 'a_b' in Terraform; rename one of them",
        ),
    ],
)
def test_what_can_not_be_deployed_is_refused(make: Any, message: str) -> None:
    """Before a tool reads it."""
    with pytest.raises(ConfigError, match=message):
        make()
