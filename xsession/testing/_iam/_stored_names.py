"""Names and tag keys of IAM, whose case says nothing: a request finds what is there under the name that it has.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from xsession.testing._http import APIRequest, RefusedError, numbered_values

# What is tagged by its name; moto takes no notice of case where it is tagged by its ARN.
_NAMED_BY = {"Role": "RoleName", "User": "UserName", "InstanceProfile": "InstanceProfileName"}


def as_stored(request: APIRequest, iam: Any) -> APIRequest:
    """A request of IAM with the names, and the keys of tags to be removed, of what there is.

    Args:
        request: The request.
        iam: moto's IAM of the account.
    """
    changed = {
        name: stored[value.casefold()]
        for name, value, stored in _named(request, iam)
        if stored.get(value.casefold(), value) != value
    }
    if not changed:
        return request
    parameters = {**request.parameters, **changed}
    # The signature has been checked already.
    http = replace(request.http, body=urlencode(parameters).encode())
    return replace(request, http=http, parameters=parameters)


def check_tags(parameters: Mapping[str, str]) -> None:
    """Refuses tags of which two have the same key.

    Args:
        parameters: The form.

    Raises:
        RefusedError: They do.
    """
    keys = [key.casefold() for key in numbered_values(parameters, "Tags.member.{}.Key")]
    if len(set(keys)) != len(keys):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise RefusedError(400, "InvalidInput", message)


def merge_tags(request: APIRequest, iam: Any) -> None:
    """After a request that has set tags: those with the same key in another case are no more.

    Args:
        request: The request.
        iam: moto's IAM of the account.
    """
    tagged = _tagged(request, "Tag", iam)
    if tagged is None:
        return
    newest = {tag["Key"].casefold(): tag["Key"] for tag in _tags(tagged, iam)}
    old = [tag["Key"] for tag in _tags(tagged, iam) if newest[tag["Key"].casefold()] != tag["Key"]]
    if _is_user(tagged, iam):
        iam.untag_user(tagged.name, old)
    else:
        tagged.tags = [tag for tag in tagged.tags if tag["Key"] not in old]


def _named(request: APIRequest, iam: Any) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """The parameters that name something: each one's name and value, and what there is, by its name without case."""
    names: dict[str, Iterable[Any]] = {
        "RoleName": iam.roles.values(),
        "UserName": iam.users.values(),
        "GroupName": iam.groups.values(),
        "InstanceProfileName": iam.instance_profiles.values(),
    }
    if request.operation == "CreatePolicy":
        names["PolicyName"] = iam.managed_policies.values()
    for name, members in names.items():
        if name in request.parameters:
            yield name, request.parameters[name], {member.name.casefold(): member.name for member in list(members)}
    tagged = _tagged(request, "Untag", iam)
    if tagged is not None:
        keys = {tag["Key"].casefold(): tag["Key"] for tag in _tags(tagged, iam)}
        yield from ((name, key, keys) for name, key in request.parameters.items() if name.startswith("TagKeys.member."))


def _tagged(request: APIRequest, verb: str, iam: Any) -> Any:
    """The role, user or instance profile whose tags a request changes; None: none of them."""
    kind = request.operation.removeprefix(verb)
    if kind == request.operation or kind not in _NAMED_BY:
        return None
    members = {"Role": iam.roles, "User": iam.users, "InstanceProfile": iam.instance_profiles}[kind]
    name = request.parameters.get(_NAMED_BY[kind], "").casefold()
    return next((member for member in list(members.values()) if member.name.casefold() == name), None)


def _tags(tagged: Any, iam: Any) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = iam.list_user_tags(tagged.name) if _is_user(tagged, iam) else tagged.tags
    return tags


def _is_user(tagged: Any, iam: Any) -> bool:
    return iam.users.get(tagged.name) is tagged
