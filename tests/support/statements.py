"""Statements of IAM policies, for tests of properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from xsession.policies import Statement

actions = st.sampled_from(["*", "s3:*", "s3:GetObject", "ec2:Describe*", "sts:AssumeRole", "a4b-x:Do?"])
resources = st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:ec2:*:222222222222:instance/i-1", "arn:aws:s3:::*"])
principals = st.dictionaries(
    st.just("AWS"), st.lists(st.sampled_from(["*", "1" * 12, "arn:aws:iam::111111111111:root"]), min_size=1), min_size=1
)
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "BoolIfExists", "ForAllValues:StringLike", "Null"]),
    st.dictionaries(
        st.sampled_from(["aws:SourceIp", "sts:ExternalId"]),
        st.one_of(st.text(), st.booleans(), st.integers(), st.lists(st.text(), min_size=1)),
        min_size=1,
    ),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Any statement of permissions."""
    action = draw(st.sampled_from(["actions", "not_actions"]))
    resource = draw(st.sampled_from(["resources", "not_resources"]))
    values: dict[str, Any] = {
        "effect": draw(st.sampled_from(["Allow", "Deny"])),
        action: draw(st.lists(actions, min_size=1)),
        resource: draw(st.lists(resources, min_size=1)),
        "conditions": draw(conditions),
    }
    return Statement(**values)
