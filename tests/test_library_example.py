"""`examples/scouter`, a library that works with xsession, with it and where it is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.worlds import BUCKET, VEGETA, World
from tools.project import ROOT
from xsession.testing import LocalAWS

PACKAGE = ROOT / "examples" / "scouter"

WITHOUT = """
import importlib.util, json, sys
import boto3
from scouter import power_levels
print(json.dumps([
    importlib.util.find_spec("xsession") is None,
    power_levels(boto3.Session(), "vegeta-power-levels"),
]))
"""

WITH = """
import json
import boto3
from scouter import power_levels
from xsession import CrossAccountSession

def refused(*args, **kwargs):
    try:
        power_levels(*args, **kwargs)
    except TypeError as error:
        return str(error)

with CrossAccountSession({{"vegeta": "{role}"}}) as xs:
    print(json.dumps([
        power_levels(xs, "vegeta-power-levels", account="vegeta"),
        power_levels(xs["vegeta"], "vegeta-power-levels"),
        power_levels(xs.get_client("s3", account="vegeta"), "vegeta-power-levels"),
        refused(xs, "vegeta-power-levels"),
        refused(xs["vegeta"], "vegeta-power-levels", account="vegeta"),
    ]))
"""

IMPORTED = """
import sys
import boto3, botocore.httpsession

def hook(event, args):
    if watching and (event.startswith(("socket.", "os.putenv")) or event == "open" and "/.aws" in str(args[0])):
        print(event, args)

watching = True
sys.addaudithook(hook)
import scouter, xsession
print("xsession._default_session" in sys.modules, boto3.DEFAULT_SESSION)
"""


def everything_that(name: str) -> set[str]:
    """The distributions that one needs, itself included."""
    needed = [line.split(";")[0] for line in distribution(name).requires or [] if "extra ==" not in line]
    names = ["".join(c if c.isalnum() or c in "-_." else " " for c in line).split()[0] for line in needed]
    return {name}.union(*(everything_that(one) for one in names))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with boto3 and the example, and without xsession."""
    folder = tmp_path_factory.mktemp("library")
    venv.create(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    for name in everything_that("boto3"):
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top != ".." and not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    (packages / "scouter").symlink_to(PACKAGE / "scouter")
    return folder / "bin" / "python"


@pytest.fixture
def world(local_aws: LocalAWS) -> Iterator[World]:
    """Batman, and Vegeta's bucket."""
    made = World(local_aws)
    made.bucket()
    yield made
    made.close()


def run(python: str | Path, code: str, folder: Path, **environ: str) -> str:
    """What a program prints in a folder of its own."""
    done = subprocess.run(
        [python, "-B", "-c", code], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_works_without_xsession(world: World, python: Path, tmp_path: Path) -> None:
    """With a plain boto3 session, where xsession is not installed."""
    environ = world.aws.environ(world.vegeta.user("trunks"))
    assert json.loads(run(python, WITHOUT, tmp_path, **environ)) == [True, {"goku": 9001}]


def test_the_library_takes_sessions_of_xsession(world: World, tmp_path: Path) -> None:
    """One for all accounts with a name, one account's, or a client; what can't be meant is refused."""
    environ = {**world.aws.environ(world.key), "PYTHONPATH": f"{PACKAGE}:{ROOT}"}
    answers = json.loads(run(sys.executable, WITH.format(role=world.role), tmp_path, **environ))
    assert answers[:3] == [{"goku": 9001}] * 3
    assert ["which account" in answers[3], "one account's" in answers[4]] == [True, True]
    assert world.aws.count("AssumeRole", role_arn=f"arn:aws:iam::{VEGETA}:role/Reader") == 1
    assert BUCKET == "vegeta-power-levels"


def test_the_library_makes_no_client_of_its_own() -> None:
    """Of boto3's default session, which is whoever the process is: https://github.com/mem0ai/mem0/pull/5683."""
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert ".client(" in text
    assert "boto3.client(" not in text


def test_importing_the_library_takes_no_session(tmp_path: Path) -> None:
    """Neither xsession's default nor boto3's; no file of AWS is read: https://github.com/liormizr/s3path/issues/96."""
    assert run(sys.executable, IMPORTED, tmp_path, PYTHONPATH=f"{PACKAGE}:{ROOT}") == "False None\n"
