"""Programs that answer each line with the account that they act in, through rotations of their credentials."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.worlds import VEGETA, World

LIFETIME = 6.0
ROTATIONS = 3
PATIENCE_SECONDS = 10 * LIFETIME

# Each line on standard input is one request; each line on standard output its account, or the error.
BOTO3 = """
import sys, boto3
client = boto3.client("sts")
for line in sys.stdin:
    try: print(client.get_caller_identity()["Account"], flush=True)
    except Exception as error: print(error, flush=True)
"""
NODE = """
const { STSClient, GetCallerIdentityCommand } = require(process.argv[1]);
const client = new STSClient({ endpoint: process.env.AWS_ENDPOINT_URL }); // which the old one does not read
require("readline").createInterface({ input: process.stdin }).on("line", async () => {
  try { console.log((await client.send(new GetCallerIdentityCommand({}))).Account); }
  catch (error) { console.log(String(error)); }
});
"""
WHO_BY_CLI = ["aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"]


def keys_of(world: World) -> list[str]:
    """The keys that requests were signed with, in order."""
    signed = [call for call in world.aws.calls if call.operation != "AssumeRole"]
    return list(dict.fromkeys(str(call.access_key_id) for call in signed))


@contextmanager
def answering(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A program that answers once for each line."""
    child = subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield child
    finally:
        # Not killed: a program that has a child of its own passes this on.
        child.terminate()
        child.communicate()


def ask(child: subprocess.Popen[str]) -> str:
    """One request of a program's."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    return child.stdout.readline().strip()


def goes_on(world: World, command: list[str], environ: dict[str, str], answer: str = VEGETA) -> None:
    """One program gets an answer at each of its requests, over three rotations; its world's sessions are that short."""
    ends = time.monotonic() + PATIENCE_SECONDS
    with answering(command, environ) as child:
        while len(keys_of(world)) <= ROTATIONS:
            assert ask(child) == answer
            assert time.monotonic() < ends, "its credentials did not rotate"
            time.sleep(0.1)
    # Ahead of their end, and once for each lifetime.
    assert world.aws.count("AssumeRole") in (ROTATIONS + 1, ROTATIONS + 2)
    assert {call.status for call in world.aws.calls} <= {200, 206}
