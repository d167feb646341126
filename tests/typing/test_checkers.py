"""What type checkers say in environments with types-boto3, with boto3-stubs, and with neither: `make test-typing`."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.project import ROOT
from tools.service_types import recorded
from tools.stubs import write

pytestmark = pytest.mark.checkers

ENVIRONMENTS = ROOT / ".venvs" / "typing"
FAMILIES = {"types-boto3": "types_boto3", "boto3-stubs": "mypy_boto3"}

TYPED = """
from typing import Any, assert_type

import boto3
from botocore.client import BaseClient
from botocore.stub import Stubber
from {family}_dynamodb.service_resource import DynamoDBServiceResource
from {family}_s3.client import S3Client
from {family}_s3.service_resource import S3ServiceResource

from xsession import CrossAccountSession, SOURCE, get_client


def of_the_default_session(name: str) -> None:
    assert_type(get_client("s3", account="vegeta"), S3Client)
    assert_type(get_client("s3", SOURCE, region_name="eu-west-1", verify=False), S3Client)
    assert_type(get_client("ec2", account="vegeta"), Any)
    assert_type(get_client(name, account="vegeta"), Any)


def shared(xs: CrossAccountSession) -> None:
    assert_type(xs.get_client("s3", account="vegeta"), S3Client)
    assert_type(xs.get_client("s3", SOURCE, region_name="eu-west-1", verify=False), S3Client)
    assert_type(xs["vegeta"].get_client("s3", region_name="eu-west-1"), S3Client)
    assert_type(xs.get_client("s3", account="vegeta").can_paginate("list_objects_v2"), bool)


def own(xs: CrossAccountSession) -> None:
    assert_type(xs["vegeta"].client("s3", "eu-west-1"), S3Client)
    assert_type(xs.session("vegeta", duration_seconds=900).client("s3"), S3Client)
    assert_type(xs["vegeta"].resource("s3"), S3ServiceResource)
    assert_type(xs["vegeta"].resource("dynamodb"), DynamoDBServiceResource)


def without_stubs(xs: CrossAccountSession, name: str) -> None:
    assert_type(xs.get_client("ec2", account="vegeta"), Any)
    assert_type(xs["vegeta"].get_client("ec2"), Any)
    assert_type(xs["vegeta"].client("ec2"), Any)
    assert_type(xs["vegeta"].resource("ec2"), Any)
    assert_type(xs.get_client("service-of-next-year", account="vegeta"), Any)
    assert_type(xs.get_client(name, account="vegeta"), Any)
    assert_type(xs["vegeta"].client(name), Any)
    base: BaseClient = xs["vegeta"].resource(name)
    print(base)


def takes_boto3(session: boto3.Session) -> S3Client:
    return session.client("s3")  # pyright: ignore[reportUnknownMemberType]  # the stubs' own: strict has never liked it


def elsewhere(xs: CrossAccountSession) -> None:
    assert_type(takes_boto3(xs["vegeta"]), S3Client)
    with Stubber(xs.get_client("s3", account="vegeta")) as stubber:
        stubber.add_response("list_buckets", {{}})
"""

WRONG = """
from xsession import CrossAccountSession, get_client

get_client("s3", account=3)
get_client("s3", account="vegeta").list_bucket()


def wrong(xs: CrossAccountSession) -> None:
    xs.get_client("s3", account=3)
    xs.get_client("s3", account="vegeta", aws_access_key_id="AKIA")
    xs["vegeta"].client("s3", aws_secret_access_key="secret")
    xs.get_client("s3", account="vegeta").list_bucket()
"""

WRONG_LINES = ["10", "11", "12", "4", "5", "9"]

UNTYPED = """
import xsession
from xsession import CrossAccountSession


def scripts(name: str) -> None:
    print(xsession.get_client("s3", account="vegeta").list_buckets())
    print(xsession.get_client(name, account="vegeta").whatever())


def plain(xs: CrossAccountSession, name: str) -> None:
    print(xs.get_client("s3", account="vegeta").list_buckets())
    print(xs.get_client(name, account="vegeta").whatever())
    print(xs["vegeta"].get_client("s3", region_name="eu-west-1").list_buckets())
    print(xs["vegeta"].client("s3").list_buckets())
    print(xs["vegeta"].resource("s3").buckets)
"""


class Checked:
    """An environment with a copy of the package among its own, as an installed wheel is.

    Args:
        python: Its Python.
        folder: Where the programs lie that are checked.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self.python = python
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MYPY"))}

    def write(self, name: str, text: str) -> None:
        """Put a program, or the configuration of a checker, into the folder."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *command: str | Path) -> str:
        """Run a program in the folder; return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.stderr == "" or "error" not in done.stderr.lower(), done.stderr
        return done.stdout

    def mypy(self, name: str, **environ: str) -> list[str]:
        """Errors of mypy strict, without anything from an earlier run."""
        self.environ.update(environ)
        options = ("--config-file=", "--strict", "--no-error-summary", "--cache-dir", os.devnull)
        output = self.run(sys.executable, "-m", "mypy", *options, "--python-executable", self.python, name)
        return [line for line in output.splitlines() if " note: " not in line]

    def pyright(self, *names: str, checker: str | Path = "pyright") -> list[str]:
        """Errors of pyright, or of basedpyright."""
        command = [checker] if isinstance(checker, Path) else [sys.executable, "-m", checker]
        output = self.run(*command, "--outputjson", "--pythonpath", self.python, *names)
        found = json.loads(output)["generalDiagnostics"]
        return [
            f"{Path(one['file']).name}:{one['range']['start']['line'] + 1}: {one['message'][:300]} ({one.get('rule')})"
            for one in found
            if one["severity"] == "error"
        ]


def install(name: str) -> Path:
    """Copy the package, with the wheel's stubs, to where the environment has its others; return its Python."""
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment {name}: run make test-typing")
    (packages,) = (ENVIRONMENTS / name / "lib").glob("python3*/site-packages")
    shutil.rmtree(packages / "xsession", ignore_errors=True)
    shutil.copytree(ROOT / "xsession", packages / "xsession", ignore=shutil.ignore_patterns("__pycache__"))
    write(packages)
    return python


@pytest.fixture(scope="module", params=FAMILIES)
def stubs(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """An environment with stubs, and what their packages begin with."""
    return install(request.param), FAMILIES[request.param]


@pytest.fixture(scope="module")
def no_stubs() -> Path:
    """An environment without."""
    return install("no-stubs")


@pytest.fixture
def checked(stubs: tuple[Path, str], tmp_path: Path) -> Checked:
    """The environment with stubs, and a program that uses the types of all that hands out a client."""
    checked = Checked(stubs[0], tmp_path)
    checked.write("typed.py", TYPED.format(family=stubs[1]))
    checked.write("strict.py", f"# pyright: strict\n{TYPED.format(family=stubs[1])}")
    return checked


def test_mypy_knows_the_clients(checked: Checked) -> None:
    """In strict mode; a service without stubs and a name that is not literal are Any."""
    assert checked.mypy("typed.py") == []


def test_pyright_knows_the_clients(checked: Checked) -> None:
    """In standard and in strict mode: nothing is partially unknown where only some stubs are installed."""
    assert checked.pyright("typed.py", "strict.py") == []


def test_mypy_and_pyright_refuse_what_fails_at_run_time(checked: Checked) -> None:
    """No account, keys of one's own, or a method that the service has not."""
    checked.write("wrong.py", WRONG)
    assert sorted({error.split(":")[1] for error in checked.mypy("wrong.py")}) == WRONG_LINES
    assert {error.split(":")[1] for error in checked.pyright("wrong.py")} == set(WRONG_LINES)


def test_fifty_calls_cost_little_more_than_boto3s_own(checked: Checked) -> None:
    """A small program, cold, by the processor's seconds: a machine that is busy is slow for both."""
    checked.write("empty.py", "x: int = 1\n")
    own = '    session.client("sqs")\n' * 50
    checked.write("own.py", f"import boto3\ndef f(session: boto3.Session) -> None:\n{own}")
    calls = '    xs.get_client("sqs", account="vegeta")\n' * 50
    checked.write("calls.py", f"import xsession\ndef f(xs: xsession.CrossAccountSession) -> None:\n{calls}")

    def seconds(check: Callable[[str], list[str]], name: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert check(name) == []
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    for check in (checked.mypy, checked.pyright):
        empty, theirs, ours = (seconds(check, name) for name in ("empty.py", "own.py", "calls.py"))
        figures = f"{check.__name__}: an empty file {empty:.2f} s, boto3's {theirs:.2f} s, ours {ours:.2f} s"
        print(figures)  # noqa: T201 # pytest -rP shows them
        assert ours < 1.5 * theirs


def test_the_command_is_for_what_is_installed(checked: Checked) -> None:
    """Pyright reads what it wrote: fewer overloads, the same answers."""
    assert checked.run(checked.python, "-m", "xsession.typing") == "typings/xsession: dynamodb, s3\n"
    assert checked.pyright("typed.py", "strict.py") == []
    clients = checked.folder / "typings" / "xsession" / "_service_clients.pyi"
    clients.write_text(clients.read_text().replace("-> S3Client", "-> int"))
    assert any('received "int"' in error for error in checked.pyright("strict.py"))


def test_basedpyright_knows_the_clients(tmp_path: Path) -> None:
    """It is stricter still, but on what is the user's own."""
    checker = ENVIRONMENTS / "boto3-stubs" / "bin" / "basedpyright"
    checked = Checked(install("boto3-stubs"), tmp_path)
    checked.write("strict.py", f"# pyright: strict\n{TYPED.format(family='mypy_boto3')}")
    assert checked.pyright("strict.py", checker=checker) == []


def test_it_is_harmless_without_stubs(no_stubs: Path, tmp_path: Path) -> None:
    """Clients are Any, for mypy strict and for pyright, and the package runs."""
    checked = Checked(no_stubs, tmp_path)
    checked.write("plain.py", UNTYPED)
    checked.write("strict.py", f"# pyright: strict\n{UNTYPED}")
    assert checked.mypy("plain.py") == []
    assert checked.pyright("plain.py", "strict.py") == []
    hints = "import typing, xsession as x; print(typing.get_type_hints(x.CrossAccountSession.get_client)['return'])"
    assert checked.run(no_stubs, "-c", hints) == "typing.Any\n"
    assert checked.run(no_stubs, "-m", "xsession.typing") == ""


@pytest.mark.parametrize("family", FAMILIES.values())
def test_every_service_has_its_type(no_stubs: Path, tmp_path: Path, family: str) -> None:
    """By stubs made up for each of them: hundreds of packages would be a long download."""
    checked = Checked(no_stubs, tmp_path)
    services = recorded()[1]
    lines = ["from typing import assert_type", "from xsession import CrossAccountSession"]
    asserts = ["def every(xs: CrossAccountSession) -> None:"]
    for service in services:
        folder = tmp_path / "stubs" / f"{family}_{service.module}"
        folder.mkdir(parents=True)
        (folder / "__init__.pyi").touch()
        for part, cls in service.parts:
            if any(line.endswith(f" {cls}") for line in lines):
                continue  # sms-voice is pinpoint-sms-voice once more, and stubs have the one alone
            (folder / f"{part}.pyi").write_text(f'__all__ = ("{cls}",)\nclass {cls}: ...\n')
            lines.append(f"from {folder.name}.{part} import {cls}")
        name = f'"{service.service_name}"'
        asserts.append(f'    assert_type(xs.get_client({name}, account="vegeta"), {service.client})')
        asserts.append(f'    assert_type(xs["vegeta"].get_client({name}), {service.client})')
        asserts.append(f'    assert_type(xs["vegeta"].client({name}), {service.client})')
        if service.resource:
            asserts.append(f'    assert_type(xs["vegeta"].resource({name}), {service.resource})')
    checked.write("every.py", "\n".join([*lines, *asserts, ""]))
    checked.write("pyrightconfig.json", json.dumps({"extraPaths": ["stubs"], "include": ["every.py"]}))
    assert checked.mypy("every.py", MYPYPATH="stubs") == []
    assert checked.pyright() == []
