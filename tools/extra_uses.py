"""Uses xsession with one extra, where nothing else is installed: `python -I tools/extra_uses.py NAME`.

It stands alone. Its AWS is that of the environment, where `VEGETA_ROLE` may read `scouter.csv` in the bucket `levels`.
Each function reads that object by its extra; `nothing` does without, and proves that what is missing is named.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import xsession
from xsession import CrossAccountSession
from xsession.errors import ConfigError
from xsession.testing import LocalAWS, Story

EXPECTED = "9001"
BUCKET, KEY = "levels", "scouter.csv"
URL = f"s3://{BUCKET}/{KEY}"
PATH = f"{BUCKET}/{KEY}"


def need(holds: bool, found: object) -> None:
    """Ends everything where something does not hold."""
    if not holds:
        sys.exit(str(found))


def session(**options: Any) -> CrossAccountSession:
    """A session whose account is Vegeta's."""
    return CrossAccountSession({"vegeta": os.environ["VEGETA_ROLE"]}, **options)


def read(xs: CrossAccountSession) -> object:
    """The object, by a client."""
    return xs.get_client("s3", account="vegeta").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the installed command."""
    program = Path(sys.executable).with_name("xsession")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def nothing() -> object:
    """Clients, and for each extra that is missing the error that names it."""
    xs = session()
    data = xs["vegeta"].data
    asked: dict[str, Callable[[], object]] = {
        "aio": xs["vegeta"].aio,
        "notebook": lambda: xs.accounts.graph().to_graphviz(),
        "otel": xsession.integrations.OpenTelemetryHook,
        "ray": xsession.integrations.RayExecutor,
        "store": xsession.stores.FileStore,
        "testing": LocalAWS,
        **{name: getattr(data, name) for name in ("s3fs", "polars", "obstore", "pyarrow", "deltalake", "pyiceberg")},
        "duckdb": lambda: data.duckdb(None),
    }
    for extra, ask in asked.items():
        try:
            ask()
        except ConfigError as error:
            need(f"xsession[{extra}]" in str(error.hint), error.hint)
        else:
            sys.exit(f"{extra} is not installed, and nothing says so")
    done = command("accounts")
    need(done.returncode != 0 and "xsession[cli]" in done.stderr, done)
    return read(xs)


def cli() -> object:
    """A command that asks STS; what it prints says who we are."""
    Path("xsession.toml").write_text(f'[accounts.vegeta]\nrole_arn = "{os.environ["VEGETA_ROLE"]}"\n')
    done = command("whoami", "vegeta")
    need(done.stdout.startswith("arn:aws:sts::222222222222:assumed-role/Reader/"), done)
    return read(session())


def otel() -> object:
    """A hook at work; the API alone makes no spans."""
    return read(session(hooks=[xsession.integrations.OpenTelemetryHook()]))


def store() -> object:
    """Credentials that the next session finds."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="this machine has no keyring")
        with session(store="file") as first:
            found = first.get_frozen_credentials("vegeta")
        with session(store="file") as second:
            need(second.get_frozen_credentials("vegeta") == found, "not found again")
            return read(second)


def testing() -> object:
    """An AWS in this process, which wants to be the only one."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with LocalAWS() as aws:
        story = Story.told_by(aws)
        client = CrossAccountSession({"vegeta": story.vegeta_role}, session=story.session).get_client("s3", "vegeta")
        return client.get_object(Bucket=story.bucket, Key=story.object_key)["Body"].read()


def notebook() -> object:
    """A bar, and a graph as DOT."""
    xs = session()
    need(all(outcome.ok for outcome in xs.warm(progress=True).values()), "not warm")
    graph = xs.accounts.graph().to_graphviz().source
    need("Reader" in graph, graph)
    return read(xs)


def types() -> object:
    """What type checkers look for; nothing of it is imported at run time."""
    need(find_spec("types_boto3_s3") is not None, "no types")
    return read(session())


def aio() -> object:
    """A coroutine that reads."""

    async def read_it() -> object:
        async with session()["vegeta"].aio().create_client("s3") as s3:
            return await (await s3.get_object(Bucket=BUCKET, Key=KEY))["Body"].read()

    return asyncio.run(read_it())


def s3fs() -> object:
    """A file system."""
    return session()["vegeta"].data.s3fs().cat(PATH)


def pandas() -> object:
    """A DataFrame."""
    import pandas as pd  # noqa: PLC0415 # each extra's own

    return pd.read_csv(URL, storage_options=session()["vegeta"].data.pandas())


def polars() -> object:
    """A DataFrame."""
    import polars as pl  # noqa: PLC0415 # each extra's own

    return pl.scan_csv(URL, **session()["vegeta"].data.polars()).collect()


def obstore() -> object:
    """A store."""
    from obstore.store import S3Store  # noqa: PLC0415 # each extra's own

    return bytes(S3Store(BUCKET, **session()["vegeta"].data.obstore()).get(KEY).bytes())


def pyarrow() -> object:
    """A table."""
    from pyarrow import csv  # noqa: PLC0415 # each extra's own

    return csv.read_csv(session()["vegeta"].data.pyarrow().open_input_stream(PATH))


def duckdb() -> object:
    """A query."""
    import duckdb as db  # noqa: PLC0415 # each extra's own

    return session()["vegeta"].data.duckdb(db.connect()).sql(f"select * from read_csv('{URL}')").fetchall()  # noqa: S608 # our own


def deltalake() -> object:
    """A table's first version, which has no rows; the object is read by a client."""
    from deltalake import DeltaTable  # noqa: PLC0415 # each extra's own

    xs = session()
    table = DeltaTable(f"s3://{BUCKET}/table", storage_options=xs["vegeta"].data.deltalake())
    need(table.version() == 0, table)
    return read(xs)


def pyiceberg() -> object:
    """What a catalog reads its files with."""
    from pyiceberg.io import load_file_io  # noqa: PLC0415 # each extra's own

    with load_file_io(session()["vegeta"].data.pyiceberg()).new_input(URL).open() as file:
        return file.read()


def data() -> object:
    """All data libraries beside each other."""
    found = [str(use()) for use in (s3fs, pandas, polars, obstore, pyarrow, duckdb, deltalake, pyiceberg)]
    need(all(EXPECTED in one for one in found), found)
    return found


def ray() -> object:
    """A function over accounts, in Ray's workers."""
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
    import ray as cluster  # noqa: PLC0415 # each extra's own

    # Workers import the function from this file.
    folder = str(Path(__file__).parent)
    sys.path.append(folder)
    os.environ["PYTHONPATH"] = folder
    function = import_module(Path(__file__).stem).read_in_worker
    cluster.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        (outcome,) = session().run(function, executor=xsession.integrations.RayExecutor())
        need(outcome.ok, outcome.error)
        return outcome.value
    finally:
        cluster.shutdown()


def read_in_worker(account: xsession.AccountSession) -> object:
    """The object, by a client of the worker's own session."""
    return account.get_client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()


def main() -> None:
    """Uses the extra that is named."""
    origin = Path(xsession.__file__).resolve()
    if not origin.is_relative_to(Path(sys.prefix).resolve()):
        sys.exit(f"xsession comes from {origin}, not from the wheel")
    found = str(globals()[sys.argv[1]]())
    need(EXPECTED in found, found)


if __name__ == "__main__":
    main()
