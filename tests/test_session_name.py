from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.roles import Role
from xsession.session_name import default_role_session_name, sanitised


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "bruce-report"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "nightly"}, "lambda-nightly"),
        ({"GITHUB_RUN_ID": "42"}, "github-42"),
        ({"CI_JOB_ID": "7"}, "gitlab-7"),
        ({"CODEBUILD_BUILD_ID": "proj:1f"}, "codebuild-proj-1f"),
        ({"BUILD_TAG": "jenkins-x-1"}, "jenkins-jenkins-x-1"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "web-5d4"}, "pod-web-5d4"),
        ({"HOSTNAME": "laptop"}, "bruce-report"),
    ],
)
def test_the_name_says_who_runs(environ: dict[str, str], expected: str) -> None:
    """The job's own id, else user and program; never a host's name."""
    assert default_role_session_name(environ, user="bruce", program="/opt/report.py") == expected


@pytest.mark.parametrize(
    ("program", "expected"), [("", "bruce-python"), ("/site-packages/report/__main__.py", "bruce-report")]
)
def test_the_program_is_called_as_its_user_calls_it(program: str, expected: str) -> None:
    """An interactive interpreter has no program's name, and a package's is not __main__."""
    assert default_role_session_name({}, user="bruce", program=program) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a b/ü", "a-b"), ("", "xsession"), ("x", "xsession-x"), ("-", "xsession")]
)
def test_what_sts_refuses_is_replaced(text: str, expected: str) -> None:
    """Runs of other characters become one hyphen, and what is left has two characters at least."""
    assert sanitised(text) == expected


@given(st.text())
def test_any_text_becomes_a_name_that_a_role_takes(text: str) -> None:
    """Whatever a user or a program is called, STS takes the name."""
    name = sanitised(text)
    assert Role("arn:aws:iam::222222222222:role/R", role_session_name=name).role_session_name == name
