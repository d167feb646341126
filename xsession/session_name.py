"""The role session name that says who we are when nobody chose one.

It ends up in CloudTrail and in conditions on `sts:RoleSessionName`, so it is stable and readable by people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

_NOT_ALLOWED = re.compile(r"[^\w+=,.@-]+", re.ASCII)

# Where the platform names the running job, that name says more than a user such as "root".
_RUNNER_VARIABLES = (
    ("lambda", "AWS_LAMBDA_FUNCTION_NAME"),
    ("github", "GITHUB_RUN_ID"),
    ("gitlab", "CI_JOB_ID"),
    ("codebuild", "CODEBUILD_BUILD_ID"),
    ("jenkins", "BUILD_TAG"),
)


def default_role_session_name(environ: Mapping[str, str], *, user: str, program: str) -> str:
    """A stable name for our sessions: the job that runs us, else the user and the program.

    Args:
        environ: The process's environment variables.
        user: The user's login name.
        program: The path of the running program.

    Returns:
        2 to 64 characters that STS accepts.
    """
    for runner, variable in _RUNNER_VARIABLES:
        if environ.get(variable):
            return sanitised(f"{runner}-{environ[variable]}")
    if "KUBERNETES_SERVICE_HOST" in environ and environ.get("HOSTNAME"):
        return sanitised(f"pod-{environ['HOSTNAME']}")
    path = PurePath(program)
    # A package that runs as `python -m package` is that package's __main__.py.
    name = path.parent.name if path.name == "__main__.py" else path.stem
    return sanitised(f"{user}-{name or 'python'}")


def sanitised(text: str) -> str:
    """`text` as a role session name: what STS refuses becomes "-", cut at 64 characters."""
    name = _NOT_ALLOWED.sub("-", text).strip("-")[:64]
    return name if len(name) >= 2 else f"xsession-{name}".rstrip("-")
