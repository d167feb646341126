"""Programs of others as the command: they get new credentials in time, and no other account's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.answering import BOTO3, LIFETIME, NODE, WHO_BY_CLI, answering, ask, goes_on
from tests.support.command_line import COMMAND
from tests.support.terminals import CTRL_C, Terminal
from tests.support.worlds import BATMAN, VEGETA, World
from tools.project import ROOT
from xsession.policies import trust

pytestmark = [pytest.mark.shell, pytest.mark.usefixtures("folder")]

TOOLS = ROOT / ".venvs" / "shell"
EXEC = [*COMMAND, "exec", "vegeta"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Ours, with the tools on the path, and no cache of the AWS CLI's."""
    if not (TOOLS / ".shell").exists():
        pytest.skip("the tools are not installed: run make test-shell")
    return {**os.environ, "HOME": str(tmp_path), "PATH": f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_boto3_goes_on(world: World, environ: dict[str, str]) -> None:
    """In one process."""
    world.aws.set_lifetime(LIFETIME)
    goes_on(world, [*EXEC, "--", sys.executable, "-c", BOTO3], environ)


def test_node_goes_on(world: World, environ: dict[str, str]) -> None:
    """The SDK for JavaScript."""
    package = next((TOOLS / "node").glob("**/@aws-sdk/client-sts"), None)
    node = shutil.which("node", path=environ["PATH"])
    if package is None or node is None:
        pytest.skip("the SDK for JavaScript is not installed")
    world.aws.set_lifetime(LIFETIME)
    goes_on(world, [*EXEC, "--", node, "-e", NODE, str(package)], environ)


def test_the_aws_cli_acts_in_the_account(environ: dict[str, str]) -> None:
    """By the endpoint, and by plain variables."""
    for how in ([], ["--env"]):
        command = [*EXEC, *how, "--", *WHO_BY_CLI]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == (f"{VEGETA}\n", 0), done.stderr


def test_another_profile_is_itself_or_an_error(world: World, environ: dict[str, str]) -> None:
    """Never the account that is served; and the keys of the default profile never win."""
    key = world.key
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    role = world.hub.role("Other", trusts=BATMAN)
    script = Path("process.sh")
    printed = {"Version": 1, "AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}
    script.write_text(f"#!/bin/sh\necho '{json.dumps(printed)}'\n")
    script.chmod(0o755)
    Path("config").write_text(
        f"[default]\n{keys}[profile keys]\n{keys}"
        f"[profile process]\ncredential_process = {script.absolute()}\n"
        f"[profile role]\nrole_arn = {role}\nsource_profile = process\n"
    )
    environ = {**environ, "AWS_CONFIG_FILE": "config"}
    who = {}
    for profile in ("default", "keys", "process", "role"):
        command = [*EXEC, "--", *WHO_BY_CLI, *([] if profile == "default" else ["--profile", profile])]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        who[profile] = done.stdout.strip() if done.returncode == 0 else "error"
    assert who == {"default": VEGETA, "keys": "error", "process": BATMAN, "role": "333333333333"}


def test_what_is_refused_is_said_by_the_program(world: World, environ: dict[str, str]) -> None:
    """Our own words, and no timeout of a metadata service."""
    world.aws.set_lifetime(3)
    with answering([*EXEC, "--", sys.executable, "-c", BOTO3], environ) as child:
        assert ask(child) == VEGETA
        world.vegeta.set_trust("Reader", trust("333333333333"))
        ends = time.monotonic() + 20
        # Those that end in a moment are no error of the endpoint's yet.
        while "AccessDenied" not in (answer := ask(child)):
            assert time.monotonic() < ends, answer
            time.sleep(0.2)
    assert "account 'vegeta', hop 1" in answer


def test_ctrl_c_ends_the_aws_cli(environ: dict[str, str]) -> None:
    """Its own status is ours."""
    with Terminal([*EXEC, "--", "aws", "configure"], environ) as terminal:
        terminal.wait_for(b"AWS Access Key ID")
        time.sleep(0.3)
        terminal.type(CTRL_C)
        assert terminal.ended() == 130
