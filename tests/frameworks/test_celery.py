"""Celery on SQS: kombu's own transport with an account's credentials."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.support.worlds import BUCKET

from .conftest import LIFETIME, Recipes, needs

pytestmark = needs("pycurl")

LAST = 5


def test_messages_go_and_come_over_three_lifetimes(recipes: Recipes) -> None:
    """Without an event loop, on one connection; each request has a token: https://github.com/celery/kombu/issues/2227."""
    code = """
from kombu import Connection
from account_sqs import xs
from lifetimes import over_lifetimes

options = {"account": "vegeta", "region": "eu-west-1", "wait_time_seconds": 0}
with Connection(transport="account_sqs:Transport", transport_options=options) as connection:
    queue = connection.SimpleQueue("scouter")
    for _ in over_lifetimes(xs):
        queue.put({"level": 9001})
        message = queue.get(timeout=5)
        message.ack()
    queue.close()
print(message.payload)
"""
    assert recipes.run(code) == "{'level': 9001}\n"
    recipes.check_lifetimes()


def test_a_worker_polls_with_current_credentials(recipes: Recipes) -> None:
    """A real one, whose event loop signs requests itself and whose tasks run in forked processes."""
    seen = recipes.folder / "seen.txt"
    seen.touch()
    environ = {**recipes.environ, "PYTHONWARNINGS": "default"}
    command = [sys.executable, "-m", "celery", "-A", "sqs_tasks", "worker", "--concurrency", "1", "--loglevel", "INFO"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    send = "import sys; from sqs_tasks import power_level\nfor name in sys.stdin: power_level.delay(name.strip())"
    with (
        subprocess.Popen(
            command, cwd=recipes.folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as worker,
        subprocess.Popen(
            [sys.executable, "-u", "-c", send], cwd=recipes.folder, env=environ, stdin=subprocess.PIPE, text=True
        ) as sender,
    ):
        assert worker.stderr is not None
        assert sender.stdin is not None
        try:
            for number in range(1, LAST + 1):
                print(f"fighter-{number}", file=sender.stdin, flush=True)
                ends = time.monotonic() + 30
                while len(seen.read_text().split()) < number:
                    assert time.monotonic() < ends, f"{number} of {LAST} tasks"
                    time.sleep(0.05)
                # Longer than credentials live: the next message is met with others.
                time.sleep(LIFETIME)
        finally:
            sender.stdin.close()
            worker.terminate()
            printed = worker.stderr.read()
    assert seen.read_text().split() == [f"fighter-{number}" for number in range(1, LAST + 1)]
    assert "Traceback" not in printed
    calls = recipes.world.aws.calls
    assert {call.error_code for call in calls if call.service != "sts"} == {None}
    assert len({call.access_key_id for call in calls if call.operation == "ReceiveMessage"}) >= 3


SHARED = """
import os
from celery import Celery
from lifetimes import over_lifetimes
from xsession import CrossAccountSession

app = Celery("shared")
xs = CrossAccountSession.from_config("xsession.toml")
s3 = xs.get_client("s3", account="vegeta")
s3.list_objects_v2(Bucket="vegeta-power-levels")  # its connection is open when the workers are forked

@app.task
def read(key):
    for _ in over_lifetimes(xs):
        assert s3.get_object(Bucket="vegeta-power-levels", Key=key)["Body"].read() == key.encode()
    return os.getpid()
"""

FORKED = """
from celery.contrib.testing.worker import start_worker
from shared import app, read

with start_worker(app, perform_ping_check=False, pool="prefork", concurrency=2):
    print(len({answer.get(timeout=120) for answer in [read.delay("goku"), read.delay("vegeta")]}))
"""


def test_a_client_made_before_the_fork_serves_all_workers(recipes: Recipes) -> None:
    """Neither gets the other's answers over three lifetimes: https://github.com/celery/celery/pull/10339."""
    (recipes.folder / "shared.py").write_text(SHARED)
    s3 = recipes.world.vegeta.root.client("s3")
    for name in ("goku", "vegeta"):
        s3.put_object(Bucket=BUCKET, Key=name, Body=name.encode())
    results = {"CELERY_BROKER_URL": "memory://", "CELERY_RESULT_BACKEND": f"file://{recipes.folder}"}
    assert recipes.run(FORKED, **results).splitlines()[-1] == "2"
    calls = [call for call in recipes.world.aws.calls if call.operation == "GetObject"]
    assert {call.error_code for call in calls} == {None}
    assert len({call.access_key_id for call in calls}) >= 2 * 3
