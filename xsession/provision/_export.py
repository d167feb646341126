"""A role as a template of CloudFormation and of Terraform, for those who create roles with these.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
https://developer.hashicorp.com/terraform/language/syntax/json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xsession._aws import ACCOUNT_ID, iam_arn, partition_of_region
from xsession._iam import OWN_POLICY
from xsession.errors import ConfigError
from xsession.policies import as_policy
from xsession.roles import Role

if TYPE_CHECKING:
    from ._role_spec import RoleSpec

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html
_UNIT_ID = "ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}|r-[0-9a-z]{4,32}"
_PROVIDERS = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.0"}}}


def to_cloudformation(spec: RoleSpec) -> str:
    """A template with the role as its only resource, and its ARN as output."""
    policies = []
    if spec.permissions is not None:
        policies = [{"PolicyName": OWN_POLICY, "PolicyDocument": as_policy(spec.permissions).to_dict()}]
    properties = {
        "RoleName": spec.name,
        "Path": spec.path,
        "Description": spec.description,
        "MaxSessionDuration": spec.max_session_duration,
        "AssumeRolePolicyDocument": as_policy(spec.trust).to_dict(),
        "Policies": policies,
        "ManagedPolicyArns": list(spec.managed_policy_arns),
        "PermissionsBoundary": spec.permissions_boundary,
        "Tags": [{"Key": key, "Value": value} for key, value in spec.tags.items()],
    }
    logical_id = _logical_id(spec.name)
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {logical_id: {"Type": "AWS::IAM::Role", "Properties": _filled(properties)}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": [logical_id, "Arn"]}}},
    }
    return json.dumps(template, indent=2)


def to_stack_set(
    spec: RoleSpec,
    organizational_unit_ids: Sequence[str],
    *,
    name: str | None,
    region_name: str,
    exclude: Sequence[str],
    delegated_admin: bool,
) -> str:
    """A template with a stack set as its only resource, as `RoleSpec.to_stack_set` says."""
    rule = "ids of OUs (ou-...) or of the root (r-...)"
    units = _checked("organizational_unit_ids", organizational_unit_ids, _UNIT_ID, rule)
    if not units:
        raise ConfigError.invalid(units, "organizational_unit_ids", "at least one id of an OU or a root")
    excluded = _checked("exclude", exclude, ACCOUNT_ID, "12-digit account ids")
    stack_set = re.sub(r"[^A-Za-z0-9-]", "-", name or spec.name)
    stack_set = stack_set if stack_set[:1].isalpha() else f"role-{stack_set}"
    targets: dict[str, Any] = {"OrganizationalUnitIds": list(units)}
    if excluded:
        targets |= {"AccountFilterType": "DIFFERENCE", "Accounts": list(excluded)}
    properties = {
        "StackSetName": stack_set[:128],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        # The role has a name of its own.
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "CallAs": "DELEGATED_ADMIN" if delegated_admin else "SELF",
        # Roles are global: a second region would create the same one again, and fail.
        "StackInstancesGroup": [{"DeploymentTargets": targets, "Regions": [region_name]}],
        # A role is one call of IAM for each account; one that fails must not keep it from the others.
        "OperationPreferences": {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
        "TemplateBody": to_cloudformation(spec),
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            f"{_logical_id(spec.name)}StackSet": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}
        },
    }
    return json.dumps(template, indent=2)


def to_terraform_module(
    spec: RoleSpec, accounts: Mapping[str, str], *, role_name: str, region_name: str
) -> dict[str, str]:
    """Files of a configuration that creates the role in many accounts, as `RoleSpec.to_terraform_module` says."""
    if not accounts:
        raise ConfigError.invalid(accounts, "accounts", "at least one account, by its name")
    partition = partition_of_region(region_name)
    labels: dict[str, str] = {}
    for account, account_id in accounts.items():
        if not isinstance(account, str):
            raise ConfigError.invalid(account, "accounts", "account ids by name")
        _checked(f"accounts[{account!r}]", [account_id], ACCOUNT_ID, "a 12-digit account id")
        label = _label(account)
        if label in labels:
            msg = f"{labels[label]!r} and {account!r} would both be {label!r} in Terraform"
            raise ConfigError(msg, hint="rename one of them")
        labels[label] = account
    providers = [
        {
            "alias": label,
            "region": _literal(region_name),
            "allowed_account_ids": [accounts[account]],
            "assume_role": [{"role_arn": Role(iam_arn(partition, accounts[account], f"role/{role_name}")).role_arn}],
        }
        for label, account in labels.items()
    ]
    modules = {label: {"source": "./role", "providers": {"aws": f"aws.{label}"}} for label in labels}
    main = {
        "terraform": _PROVIDERS,
        "provider": {"aws": providers},
        "module": modules,
        "output": {
            # Names of properties may have expressions, too.
            "role_arns": {
                "value": {_literal(account): f"${{module.{label}.role_arn}}" for label, account in labels.items()}
            }
        },
    }
    role = {"terraform": _PROVIDERS, **json.loads(to_terraform(spec))}
    role["output"] = {"role_arn": {"value": f"${{aws_iam_role.{_label(spec.name)}.arn}}"}}
    return {"main.tf.json": json.dumps(main, indent=2), "role/main.tf.json": json.dumps(role, indent=2)}


def to_terraform(spec: RoleSpec) -> str:
    """A configuration in Terraform's JSON form: the role, its inline policy and its attachments."""
    label = _label(spec.name)
    role = {
        "name": spec.name,
        "path": spec.path,
        "description": spec.description,
        "max_session_duration": spec.max_session_duration,
        "assume_role_policy": as_policy(spec.trust).to_json(),
        "permissions_boundary": spec.permissions_boundary,
        "tags": dict(spec.tags),
    }
    resources: dict[str, Any] = {"aws_iam_role": {label: _literal(_filled(role))}}
    reference = f"${{aws_iam_role.{label}.name}}"
    if spec.permissions is not None:
        policy = _literal({"name": OWN_POLICY, "policy": as_policy(spec.permissions).to_json()})
        resources["aws_iam_role_policy"] = {label: {"role": reference, **policy}}
    if spec.managed_policy_arns:
        resources["aws_iam_role_policy_attachment"] = {
            f"{label}_{number}": {"role": reference, "policy_arn": _literal(arn)}
            for number, arn in enumerate(spec.managed_policy_arns, start=1)
        }
    return json.dumps({"resource": resources}, indent=2)


def _logical_id(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", name) or "Role"


def _label(name: str) -> str:
    """A name as Terraform's names may be."""
    label = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return label if re.match("[A-Za-z_]", label) else f"_{label}"


def _checked(option: str, values: object, pattern: str, rule: str) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigError.invalid(values, option, rule)
    listed = tuple(values)
    for value in listed:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ConfigError.invalid(value, option, rule)
    return listed


def _filled(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value not in (None, [], {})}


def _literal(value: Any) -> Any:
    """A value in which Terraform sees no expression: IAM's variables begin as its own do."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    return {name: _literal(item) for name, item in value.items()} if isinstance(value, dict) else value
