from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import InvalidRoleError
from xsession.roles import Role
from xsession.roles._session_name import (
    DEFAULT_TEMPLATE,
    PLACEHOLDERS,
    Runner,
    distinct,
    runner,
    sanitised,
    template_problem,
)

ARN = "arn:aws:iam::222222222222:role/R"
BRUCE = Runner(user="bruce", program="report", host="batcave")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "bruce-report"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "nightly"}, "lambda-nightly"),
        ({"GITHUB_RUN_ID": "42"}, "github-42"),
        ({"CI_JOB_ID": "7"}, "gitlab-7"),
        ({"CODEBUILD_BUILD_ID": "proj:1f"}, "codebuild-proj-1f"),
        ({"BUILD_TAG": "jenkins-x-1"}, "jenkins-x-1"),
        ({"CIRCLE_BUILD_NUM": "8"}, "circleci-8"),
        ({"BUILDKITE_JOB_ID": "0190"}, "buildkite-0190"),
        ({"BUILD_BUILDID": "9"}, "azure-9"),
        ({"BITBUCKET_BUILD_NUMBER": "10"}, "bitbucket-10"),
        ({"AIRFLOW_CTX_DAG_ID": "daily", "AIRFLOW_CTX_TASK_ID": "load"}, "airflow-daily-load"),
        ({"AIRFLOW_CTX_DAG_ID": "daily"}, "bruce-report"),
        ({"AWS_BATCH_JOB_ID": "2f4a:3"}, "batch-2f4a-3"),
        ({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/5bd8-5274"}, "ecs-5bd8-5274"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "web-5d4"}, "pod-web-5d4"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "web-5d4", "CI_JOB_ID": "7"}, "gitlab-7"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "bruce-report"),
        ({"HOSTNAME": "laptop"}, "bruce-report"),
    ],
)
def test_the_name_says_who_runs(environ: dict[str, str], expected: str) -> None:
    """The job's own id, else user and program; never a host's name."""
    found = runner(environ, user="bruce", program="/opt/report.py", host="batcave")
    assert found.session_name(DEFAULT_TEMPLATE, "vegeta") == expected


@pytest.mark.parametrize(
    ("program", "expected"), [("", "python"), ("/site-packages/report/__main__.py", "report"), ("report", "report")]
)
def test_the_program_is_called_as_its_user_calls_it(program: str, expected: str) -> None:
    """An interactive interpreter has no program's name, and a package's is not __main__."""
    assert runner({}, user="bruce", program=program, host="").program == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("nightly", "nightly"),
        ("{user}", "bruce"),
        ("{user}@{host}", "bruce@batcave"),
        ("{program}-{account}-{account}", "report-vegeta-vegeta"),
        ("{program}{user}", "reportbruce"),
    ],
)
def test_a_template_says_what_a_name_is_made_of(template: str, expected: str) -> None:
    """A name without placeholders stands for itself."""
    assert BRUCE.session_name(template, "vegeta") == expected


def test_what_stands_in_a_template_is_no_template_itself() -> None:
    """A user with the name of a placeholder keeps that name."""
    odd = Runner(user="{host}", program="x", host="y")
    assert odd.session_name("{user}-{program}", "vegeta").startswith("host--x-")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{usr}-x", "there is no '{usr}'; did you mean {user}?"),
        ("{zzz}", "use one of {account}, {host}, {program}, {user}"),
        ("{}", "there is no '{}'"),
        ("{user}}", "beside its placeholders"),
        ("{user", "beside its placeholders"),
        ("{{user}}", "beside its placeholders"),
        ("{user!r}", "there is no '{user!r}'"),
        ("{user.name}", "there is no '{user.name}'"),
        ("{user} {host}", "beside its placeholders"),
        ("{user}" + "x" * 61, "60 characters at most"),
    ],
)
def test_a_template_that_can_not_work_is_refused_at_construction(template: str, problem: str) -> None:
    """With the close match."""
    with pytest.raises(InvalidRoleError) as caught:
        Role(ARN, role_session_name=template)
    assert problem in str(caught.value)
    assert "role_session_name" in str(caught.value)


@given(
    st.lists(st.one_of(st.sampled_from([f"{{{name}}}" for name in PLACEHOLDERS]), st.text("ab1_+=,.@-", max_size=6))),
    st.builds(Runner, user=st.text(), program=st.text(), host=st.text()),
    st.text(min_size=1),
)
def test_any_template_becomes_a_name_that_sts_takes(parts: list[str], who: Runner, account: str) -> None:
    """Whatever users, hosts and programs are called, and however long that gets."""
    template = "{user}" + "".join(parts)
    if template_problem(template) is not None:
        assert len(template) > 60
        return
    assert Role(ARN, role_session_name=template).role_session_name == template
    name = who.session_name(template, account)
    assert Role(ARN, role_session_name=name).role_session_name == name
    assert "{" not in name


@pytest.mark.parametrize(
    ("text", "expected"), [("a b/ü", "a-b"), ("", "xsession"), ("x", "xsession-x"), ("-", "xsession")]
)
def test_what_sts_refuses_is_replaced(text: str, expected: str) -> None:
    """Runs of other characters become one hyphen, and what is left has two characters at least."""
    assert sanitised(text) == expected


@given(st.text())
def test_any_text_becomes_a_name_that_a_role_takes(text: str) -> None:
    """Whatever a user or a program is called, STS takes the name."""
    for name in (sanitised(text), distinct(text)):
        assert Role(ARN, role_session_name=name).role_session_name == name


def test_jobs_whose_long_names_differ_in_their_end_have_names_of_their_own() -> None:
    """Whatever stands in them; the same name at each refresh, and in each process."""
    jobs = [f"team/load levels of {'every ' * 20}bucket{end}" for end in ("/1", "/2", " 3")]
    names = [
        runner({"AIRFLOW_CTX_DAG_ID": job, "AIRFLOW_CTX_TASK_ID": "t"}, user="u", program="p", host="h").session_name(
            DEFAULT_TEMPLATE, "vegeta"
        )
        for job in jobs
    ]
    assert len(set(names)) == len({name[:55] for name in names}) + 2 == 3
    assert [len(name) for name in names] == [64] * 3
    assert names[0].startswith("airflow-team-load-levels-of-every-")
    assert distinct("x" * 65) == f"{'x' * 55}-9537c5fd"


def test_names_that_differ_in_what_sts_refuses_have_names_of_their_own() -> None:
    """A slash, a space, a letter; a name that STS takes as it is stays as it is."""
    users = ["a/b", "a b", "a\\b", "aüb", "a/b/", "/a/b", "a-b"]
    names = [Runner(user=user, program="report", host="h").session_name(DEFAULT_TEMPLATE, "vegeta") for user in users]
    assert len({name.lower() for name in names}) == len(users)
    assert names[-1] == "a-b-report"
    assert all(name.startswith("a-b-") for name in names)
    assert names[0] == "a-b-report-" + names[0][-8:]


@given(st.text(), st.text())
def test_other_texts_have_other_names(one: str, other: str) -> None:
    """But for hyphens around them; and a name is always the same."""
    assert (distinct(one) == distinct(other)) == (one.strip("-") == other.strip("-") or one == other)
