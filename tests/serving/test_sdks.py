"""Programs that speak no Python of ours, through rotations of their credentials: `make test-endpoint` runs these."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answering import BOTO3, LIFETIME, NODE, PATIENCE_SECONDS, ROTATIONS, WHO_BY_CLI, goes_on, keys_of
from tests.support.worlds import VEGETA, World
from tools.project import ROOT

pytestmark = pytest.mark.endpoint

TOOLS = ROOT / ".venvs" / "endpoint"

GDAL = """
import sys, rasterio
for line in sys.stdin:
    with rasterio.open("/vsis3/vegeta-maps/levels.tif") as levels:
        print(levels.read(1).max(), flush=True)
"""
DRAW = """
import sys, numpy
from rasterio.io import MemoryFile
file = MemoryFile()
with file.open(driver="GTiff", width=1, height=1, count=1, dtype="uint16") as levels:
    levels.write(numpy.array([[[9001]]], dtype="uint16"))
sys.stdout.buffer.write(file.read())
"""


@pytest.fixture
def environ(world: World, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A child's environment; outside there are other keys, a proxy that is dead, and sessions that last for seconds."""
    if not (TOOLS / ".endpoint").exists():
        pytest.skip("the tools are not installed: run make test-endpoint")
    keys = f"aws_access_key_id = {world.key.access_key_id}\naws_secret_access_key = {world.key.secret_access_key}\n"
    (tmp_path / "credentials").write_text(f"[default]\n{keys}")
    outside = {
        "PATH": f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        **world.aws.environ(world.key),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "example.com",
    }
    world.aws.set_lifetime(LIFETIME)
    with world.session().serve() as server:
        yield server.environ("vegeta", outside)


def test_boto3(world: World, environ: dict[str, str]) -> None:
    """It polls the endpoint at each request of a session that is this short."""
    goes_on(world, [sys.executable, "-c", BOTO3], environ)


@pytest.mark.parametrize("package", ["@aws-sdk/client-sts", "oldest-client-sts"])
def test_node(world: World, environ: dict[str, str], package: str) -> None:
    """The newest SDK for JavaScript, and one of 2023, which asks for credentials in another way."""
    folder = TOOLS / "node" / "node_modules" / package
    goes_on(world, [str(TOOLS / "bin" / "node"), "-e", NODE, str(folder)], environ)


def test_gdal(world: World, environ: dict[str, str]) -> None:
    """In one process, whenever it opens a file."""
    python = str(TOOLS / "bin" / "python")
    drawn = subprocess.run([python, "-W", "ignore", "-c", DRAW], capture_output=True, check=True, timeout=60).stdout
    world.vegeta.bucket("vegeta-maps", {"levels.tif": drawn})
    settings = {
        "AWS_S3_ENDPOINT": world.aws.endpoint_url.removeprefix("http://"),
        "AWS_HTTPS": "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE",
        "CPL_VSIL_CURL_NON_CACHED": "/vsis3/vegeta-maps",
    }
    goes_on(world, [python, "-W", "ignore", "-c", GDAL], {**environ, **settings}, "9001")


def test_the_aws_cli(world: World, environ: dict[str, str]) -> None:
    """A process of its own for each command."""
    ends = time.monotonic() + PATIENCE_SECONDS
    command = [str(TOOLS / "bin" / "aws"), *WHO_BY_CLI[1:]]
    while len(keys_of(world)) <= ROTATIONS:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout.strip() == VEGETA, done.stderr
        assert time.monotonic() < ends, "its credentials did not rotate"
        time.sleep(1)


def test_the_aws_cli_takes_no_other_profile_for_the_account(environ: dict[str, str]) -> None:
    """One whose keys were left out is an error, never the account that is served."""
    command = [str(TOOLS / "bin" / "aws"), "sts", "get-caller-identity", "--profile", "other"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == ""
    assert done.returncode != 0
