"""Containers of another network namespace, as the page has them: unmodified boto3 asks the host's endpoint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.project import ROOT

# Who is no root may be one in a user namespace.
NAMESPACE = ["unshare", "--net", *([] if getattr(os, "geteuid", lambda: 1)() == 0 else ["--map-root-user"])]
VETH = "ip link add aws0 type veth peer name eth0"
PAGE = (ROOT / "docs" / "how-to" / "other-programs.md").read_text(encoding="utf-8").partition("## In containers")[2]

HOST = """
import os, sys
from xsession.testing import LocalAWS, Story
with LocalAWS() as aws:
    story = Story.told_by(aws)
    with open("xsession.toml", "w") as file:
        file.write(f'[accounts]\\nvegeta = "{story.vegeta_role}"\\n')
    aws.set_lifetime(6)
    # Without what the container is to get by the endpoint alone.
    os.environ.update(aws.environ(story.key))
    exec(sys.argv[1])
    issued = {key.access_key_id for key in aws._sts._keys.values()}
    assert set(open("container").read().split()) <= issued
"""
"""Runs the page's program; there are the AWS and the person's keys."""

CONTAINER = """
import subprocess, sys, time
print("there", flush=True)
sys.stdin.readline()
for words in ("addr add 169.254.170.3/24 dev eth0", "link set eth0 up"):
    subprocess.run(["ip", *words.split()], check=True)
import boto3, os
credentials = boto3.Session().get_credentials()
keys, ends = set(), time.monotonic() + 30
while len(keys) < 2 and time.monotonic() < ends:
    keys.add(credentials.get_frozen_credentials().access_key)
    time.sleep(0.2)
print(*keys)
os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://host.docker.internal:80/1/vegeta"
try:
    boto3.Session().get_credentials()
except Exception as error:
    print(error, file=sys.stderr)
"""

DOCKER = """#!{python}
import os, subprocess, sys
assert sys.argv[1:] == ["compose", "up"]
environ = {{name: os.environ[name] for name in {variables!r}}}
child = subprocess.Popen(
    ["unshare", "--net", {python!r}, "-c", {container!r}],
    env={{"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **environ}},
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
child.stdout.readline()
subprocess.run(["ip", "link", "set", "eth0", "netns", str(child.pid)], check=True)
with open("container", "w") as file:
    file.write(child.communicate("\\n")[0])
sys.exit(child.returncode)
"""
"""In the place of Docker: another network namespace on the same bridge, and the variables that the page names."""


def are_namespaces_made() -> bool:
    """Whether this machine lets us."""
    if sys.platform != "linux" or not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run([*NAMESPACE, "sh", "-c", VETH], capture_output=True, check=False).returncode == 0


def block(language: str) -> str:
    """The page's example in that language."""
    found = re.search(rf"```{language}(?: title=.*?)?\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.endpoint  # several Pythons over two sessions
@pytest.mark.skipif(not are_namespaces_made(), reason="no network namespace can be made here")
def test_the_pages_containers_have_credentials_that_refresh(tmp_path: Path) -> None:
    """By the host's endpoint on 169.254.170.2, over two sessions; another name of the host is refused by boto3."""
    network = re.findall(r"--(?:subnet|gateway) ([0-9./]+)", block("console"))
    assert network == ["169.254.170.0/24", "169.254.170.2"]
    variables = re.findall(r"^ +- (AWS_\w+)$", block("yaml"), re.MULTILINE)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(python=sys.executable, variables=variables, container=CONTAINER))
    docker.chmod(0o700)
    bridge = f"{VETH}; ip addr add 169.254.170.2/24 dev aws0; ip link set aws0 up; ip link set lo up"
    environ: dict[str, Any] = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [*NAMESPACE, "sh", "-ec", f'{bridge}; exec "$0" "$@"', sys.executable, "-c", HOST, block("py")],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "container").read_text().split()) == 2
    assert "Unsupported host 'host.docker.internal'" in done.stderr
