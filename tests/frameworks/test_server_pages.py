"""The programs of the pages about servers and workers, run by the real ones."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.project import ROOT
from xsession.testing import LocalAWS, Story

from .conftest import needs

pytestmark = needs("gunicorn")
VEGETA = "222222222222"
PROGRAM = re.compile(r'```py title="([\w.]+)"\n(.*?)```', re.DOTALL)

# In a process of its own: Celery's signals and gevent's patches stay where they are made.
WORKER = """
from celery.contrib.testing.worker import start_worker
from retrying import warm
from tasks import app, whoami

with start_worker(app, perform_ping_check=False, pool="prefork", concurrency=2):
    answers = [whoami.delay("vegeta"), whoami.delay("vegeta"), warm.delay("vegeta")]
    print([answer.get(timeout=60) for answer in answers])
"""


@dataclass
class Site:
    """A folder with the programs of the pages, and the environment that they run in."""

    aws: LocalAWS
    folder: Path
    environ: dict[str, str]

    @contextmanager
    def running(self, ready: str, *command: str) -> Iterator[list[str]]:
        """Runs a server until the block ends; what it has printed is in the list by then."""
        printed: list[str] = []
        with subprocess.Popen(
            [sys.executable, "-m", *command], cwd=self.folder, env=self.environ, stderr=subprocess.PIPE, text=True
        ) as server:
            assert server.stderr is not None
            for line in server.stderr:
                printed.append(line)
                if ready in line:
                    break
            assert ready in printed[-1], "".join(printed)
            try:
                yield printed
            finally:
                server.terminate()
                printed += server.stderr.readlines()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Batman's accounts, and what the pages show."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "examples" / "xsession.toml", folder)
    for page in ("web-servers.md", "celery.md"):
        for name, text in PROGRAM.findall((ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")):
            (folder / name).write_text(text, encoding="utf-8")
    with LocalAWS() as aws:
        # gunicorn has a socket in the home folder; modules are looked for in the programs' folder, and here.
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOGNAME": "bruce", "PYTHONPATH": f"{folder}:{ROOT}"}
        yield Site(aws, folder, {**aws.environ(Story.told_by(aws).key), **own})


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def get(port: int, path: str) -> str:
    """The answer of a server here."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:  # of this machine
        return str(response.read().decode())


def test_workers_of_gunicorn_inherit_what_was_warmed(site: Site, port: int) -> None:
    """One AssumeRole serves all of them."""
    site.aws.clear_calls()
    command = ["gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", "wsgi"]
    with site.running("Booting worker", *command) as printed:
        assert {get(port, "/vegeta") for _ in range(6)} == {VEGETA}
        assert site.aws.count("AssumeRole", role_arn=f"arn:aws:iam::{VEGETA}:role/BatmanReadsBucket") == 1
    assert "Traceback" not in "".join(printed)


def test_gunicorn_with_gevent_patches_early(site: Site, port: int) -> None:
    """Before botocore, in spite of preload_app; nothing is printed of greenlets that ended."""
    command = ["gunicorn", "--config", "gevent.conf.py", "--bind", f"127.0.0.1:{port}", "wsgi"]
    with site.running("Booting worker", *command) as printed:
        assert {get(port, "/vegeta") for _ in range(6)} == {VEGETA}
    assert "Using worker: gevent" in "".join(printed)
    assert not re.search("Traceback|Warning", "".join(printed))


def test_uvicorn_answers_from_threads_and_from_the_loop(site: Site, port: int) -> None:
    """FastAPI's two kinds of endpoints."""
    with site.running("Application startup complete", "uvicorn", "--port", str(port), "app:app") as printed:
        assert get(port, "/threads/vegeta") == get(port, "/loop/vegeta") == f'"{VEGETA}"'
    assert "Application shutdown complete" in "".join(printed)


def test_celery_runs_tasks_in_forked_workers(site: Site, tmp_path: Path) -> None:
    """The session of the module that they were forked with serves them."""
    environ = {**site.environ, "CELERY_BROKER_URL": "memory://", "CELERY_RESULT_BACKEND": f"file://{tmp_path}"}
    done = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=site.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == [str([VEGETA, VEGETA, True])], done.stderr
