"""Policies that AWS has written are read: those that come with moto, and those in the examples of botocore."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from xsession.policies import Policy, as_policy, difference, same_meaning

MANAGED: dict[str, Any] = json.loads(aws_managed_policies_data)


def strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_all_managed_policies_are_read(step: int) -> None:
    """1,582 in moto 5.2.5: each is read; every tenth, or all, are written, and still say the same."""
    read = [as_policy(data["Document"]) for data in MANAGED.values()]
    assert len(read) == len(MANAGED) > 1_400
    for policy in read[::step]:
        assert as_policy(policy.to_json()) == policy
        assert same_meaning(policy, Policy(policy.statements[::-1], version=policy.version))


def test_one_that_leaves_an_arn_incomplete_means_the_whole_service() -> None:
    """It is one of AWS's own."""
    policy = as_policy(MANAGED["AmazonDevOpsGuruOrganizationsAccess"]["Document"])
    (statement,) = [one for one in policy.statements if "arn:aws:organizations::*:" in one.resources]
    completed = Policy.from_json(
        policy.to_json().replace('"arn:aws:organizations::*:"', '"arn:aws:organizations::*:*"')
    )
    assert difference(policy, completed) == ()
    assert statement.effect == "Allow"


@pytest.mark.parametrize("service", ["iam", "sts"])
def test_the_samples_of_aws_are_read(service: str) -> None:
    """Those of the services whose policies they are."""
    (path,) = (Path(botocore.__file__).parent / "data" / service).glob("*/examples-1.json")
    samples = [text for text in strings(json.loads(path.read_text(encoding="utf-8"))) if '"Effect"' in text]
    assert len(list(map(as_policy, samples))) == len(samples) > 2
