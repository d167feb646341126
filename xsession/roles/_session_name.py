"""The role session name that says who we are, and the templates that it is made from.

It ends up in CloudTrail and in conditions on `sts:RoleSessionName`, so it is stable and readable by people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from xsession._base import did_you_mean, frozen
from xsession.errors import shown

DEFAULT_TEMPLATE = "{user}-{program}"
PLACEHOLDERS = ("account", "host", "program", "user")

_NOT_ALLOWED = re.compile(r"[^\w+=,.@-]+", re.ASCII)
_ALLOWED = r"[A-Za-z0-9_+=,.@-]*"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LONGEST = 64
_LONGEST_TEXT = 60

# Where the platform names the running job, that name says more than a user such as "root". Jobs of CI and workflows may
# run in pods and containers, so those come last.
_JOB_VARIABLES = (
    ("lambda", ("AWS_LAMBDA_FUNCTION_NAME",)),
    ("github", ("GITHUB_RUN_ID",)),
    ("gitlab", ("CI_JOB_ID",)),
    ("codebuild", ("CODEBUILD_BUILD_ID",)),
    ("jenkins", ("BUILD_TAG",)),
    ("circleci", ("CIRCLE_BUILD_NUM",)),
    ("buildkite", ("BUILDKITE_JOB_ID",)),
    ("azure", ("BUILD_BUILDID",)),
    ("bitbucket", ("BITBUCKET_BUILD_NUMBER",)),
    ("airflow", ("AIRFLOW_CTX_DAG_ID", "AIRFLOW_CTX_TASK_ID")),
    ("batch", ("AWS_BATCH_JOB_ID",)),
)
# Its last part is the id of the task and the container.
_ECS_VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"


@frozen(kw_only=True)
class Runner:
    """Who runs us: what the placeholders of a template stand for.

    Args:
        user: The user's login name; or the platform of the job, such as "lambda" or "github".
        program: The running program; or the job's name or id.
        host: The host's name.
    """

    user: str
    program: str
    host: str

    def session_name(self, template: str, account: str) -> str:
        """The name that a template stands for; a name without placeholders stands for itself.

        Args:
            template: A template that has no problem.
            account: The name of the account that is reached.

        Returns:
            2 to 64 characters that STS accepts.
        """
        if "{" not in template:
            return template
        values = {"account": account, "host": self.host, "program": self.program, "user": self.user}
        return distinct(_PLACEHOLDER.sub(lambda match: values[match[1]], template))


def runner(environ: Mapping[str, str], *, user: str, program: str, host: str) -> Runner:
    """Who runs us: the job of a platform, where its environment names one, else the user and the program.

    Args:
        environ: The process's environment variables.
        user: The user's login name.
        program: The path of the running program.
        host: The host's name.
    """
    for platform, variables in _JOB_VARIABLES:
        parts = [environ[name] for name in variables if environ.get(name)]
        if len(parts) == len(variables):
            # Ids of CodeBuild and Batch have a colon, which STS refuses, and are no other's without it.
            job = "-".join(parts).replace(":", "-")
            return Runner(user=platform, program=job.removeprefix(f"{platform}-"), host=host)
    if environ.get(_ECS_VARIABLE):
        return Runner(user="ecs", program=environ[_ECS_VARIABLE].rstrip("/").rpartition("/")[2], host=host)
    if "KUBERNETES_SERVICE_HOST" in environ and environ.get("HOSTNAME"):
        return Runner(user="pod", program=environ["HOSTNAME"], host=host)
    path = PurePath(program)
    # A package that runs as `python -m package` is that package's __main__.py.
    name = path.parent.name if path.name == "__main__.py" else path.stem
    return Runner(user=user, program=name or "python", host=host)


def template_problem(template: str) -> str | None:
    """What is wrong with a session name that has placeholders; None: nothing."""
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            known = [f"{{{known}}}" for known in PLACEHOLDERS]
            hint = did_you_mean(f"{{{name}}}", known, f"use one of {', '.join(known)}")
            return f"there is no {shown(f'{{{name}}}')}; {hint}"
    text = _PLACEHOLDER.sub("", template)
    if not re.fullmatch(_ALLOWED, text):
        return "beside its placeholders it has only A-Z a-z 0-9 _ + = , . @ -"
    if len(text) > _LONGEST_TEXT:
        return f"beside its placeholders it has {_LONGEST_TEXT} characters at most, so that something of them is left"
    return None


def distinct(text: str) -> str:
    """`text` as a role session name; where that is not all of it, it ends in a digest.

    Names of jobs often differ in their end alone, or in a slash.
    """
    name = sanitised(text)
    if name == text.strip("-"):
        return name
    from hashlib import sha256  # noqa: PLC0415 # few names are like that

    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: _LONGEST - 9]}-{digest}"


def sanitised(text: str) -> str:
    """`text` as a role session name: what STS refuses becomes "-", cut at 64 characters."""
    name = _NOT_ALLOWED.sub("-", text).strip("-")[:_LONGEST]
    return name if len(name) >= 2 else f"xsession-{name}".rstrip("-")
