from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.judges import MINISTACK, Judge, LocalJudge, MiniStackJudge, running_ministack
from xsession.testing import FakeClock, LocalAWS

# What MiniStack does not do, by test; each is expected to fail there, and an unexpected success fails the run.
GAPS = {
    "test_with_mfa_a_role_that_requires_it_is_open": "aws:MultiFactorAuthPresent is always false there",
    "test_a_source_identity_may_be_asked_for": "sts:SourceIdentity conditions are denied though they match",
    "test_the_caller_needs_to_tag_sessions_too": "only the trust policy is asked for sts:TagSession",
    "test_what_is_over_the_limits_is_refused": "it takes any session name and duration",
    "test_policy_variables_stand_for_the_callers_name": "it leaves ${aws:username} as it is",
}


@pytest.fixture(scope="module")
def local() -> Iterator[LocalJudge]:
    """The local AWS, started once."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        yield LocalJudge(aws, clock)


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStackJudge]:
    """MiniStack, started once."""
    if not MINISTACK.exists():
        pytest.skip("MiniStack is not installed: run make test-judges")
    with running_ministack() as judge:
        yield judge


@pytest.fixture(params=["local", pytest.param("ministack", marks=pytest.mark.ministack)])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Either judge, for the same scenario."""
    gap = GAPS.get(request.node.originalname)
    if request.param == "ministack" and gap is not None:
        request.applymarker(pytest.mark.xfail(reason=gap))
    chosen: Judge = request.getfixturevalue(request.param)
    return chosen
