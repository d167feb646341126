"""A role as a template of CloudFormation and of Terraform, for those who create roles with these.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
https://developer.hashicorp.com/terraform/language/syntax/json
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from xsession._iam import OWN_POLICY
from xsession.policies import as_policy

if TYPE_CHECKING:
    from ._role_spec import RoleSpec


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
    logical_id = re.sub(r"[^A-Za-z0-9]", "", spec.name) or "Role"
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {logical_id: {"Type": "AWS::IAM::Role", "Properties": _filled(properties)}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": [logical_id, "Arn"]}}},
    }
    return json.dumps(template, indent=2)


def to_terraform(spec: RoleSpec) -> str:
    """A configuration in Terraform's JSON form: the role, its inline policy and its attachments."""
    label = re.sub(r"[^A-Za-z0-9_-]", "_", spec.name)
    label = label if re.match("[A-Za-z_]", label) else f"_{label}"
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


def _filled(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value not in (None, [], {})}


def _literal(value: Any) -> Any:
    """A value in which Terraform sees no expression: IAM's variables begin as its own do."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    return {name: _literal(item) for name, item in value.items()} if isinstance(value, dict) else value
