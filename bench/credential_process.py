"""What `xsession credential-process` takes beside the AWS CLI: `python -m bench.credential_process [AWS]`.

Both read what lies on the disk: ours a stored session behind two roles, the AWS CLI a key of its credentials file by
`aws configure get`. In turn, beside a Python that does nothing; before it, once, what ours takes with an empty store.
Then so many cold processes at once, which assume each role once. The master key lies in a file; a keyring takes what
that keyring takes. Run it by a Python that has xsession[store,testing]; the AWS CLI is the one of `make test-shell`,
or what is named.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from xsession.testing import LocalAWS

ROUNDS = 9
AT_ONCE = 100
# As users have it in their AWS config file: `python -m` takes some milliseconds more.
OURS = [str(Path(sys.executable).with_name("xsession")), "credential-process", "vegeta"]
AWS = ".venvs/shell/bin/aws"


def seconds(command: list[str], environ: Mapping[str, str]) -> float:
    """How long a program takes, from its start to its end; an error unless it ends well."""
    began = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - began


def settings(aws: LocalAWS, folder: Path) -> dict[str, str]:
    """An account behind a hub, a key that is in a file, and an empty store: the environment of both programs."""
    batman, hub, vegeta = (aws.account(account_id) for account_id in ("111111111111", "333333333333", "222222222222"))
    hub_role = hub.role("Hub", trusts=batman.account_id)
    chain = f"[accounts.vegeta]\nchain = {[hub_role, vegeta.role('Reader', trusts=hub_role)]}\n"
    (folder / "xsession.toml").write_text(chain, encoding="utf-8")
    key = batman.user("bruce")
    (folder / "credentials").write_text(
        f"[default]\naws_access_key_id={key.access_key_id}\naws_secret_access_key={key.secret_access_key}\n",
        encoding="utf-8",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XSESSION_", "PYTHON"))}
    of_key = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    return {
        **kept,
        **{name: value for name, value in aws.environ(key).items() if name not in of_key},
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "HOME": str(folder),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "XSESSION_CONFIG": str(folder / "xsession.toml"),
        "XSESSION_STORE": str(folder / "store"),
    }


def main() -> None:
    """Print the medians, and how many AssumeRole there were."""
    program = sys.argv[1] if len(sys.argv) > 1 else AWS
    with LocalAWS() as aws, tempfile.TemporaryDirectory() as folder:
        environ = settings(aws, Path(folder))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "xsession credential-process": OURS,
            "aws configure get": [program, "configure", "get", "aws_access_key_id"],
        }
        print(f"with an empty store, once {seconds(OURS, environ) * 1e3:>24.0f} ms")
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(ROUNDS + 1):
            for name, command in commands.items():
                took = seconds(command, environ)
                if number:  # what the first ones read is in the system's cache afterwards
                    taken[name].append(took * 1e3)
        for name, each in taken.items():
            print(f"{name:30}{statistics.median(each):>20.0f} ms ({min(each):.0f} .. {max(each):.0f})")
        environ["XSESSION_STORE"] = str(Path(folder) / "another")
        before, began = aws.count("AssumeRole"), time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _number: seconds(OURS, environ), range(AT_ONCE)))
        assumed = aws.count("AssumeRole") - before
        print(f"{AT_ONCE} cold processes at once: {assumed} AssumeRole, {time.perf_counter() - began:.1f} s for all")


if __name__ == "__main__":
    main()
