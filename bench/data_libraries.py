"""One read of the first byte by each data library: as an account, with static keys, by the library's own S3 client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from xsession import AccountSession

REGION = "eu-west-1"
BUCKET = "levels"
KEYS = {"access_key_id": "ASIASTATIC", "secret_access_key": "secret", "session_token": "t" * 400}

Read = Callable[[], object]


class Library(NamedTuple):
    """One library; what it is given is made once, and read through again and again.

    Attributes:
        accessor: What it is given of an account.
        through: Makes what reads the first byte, of what the library was given.
        static: What it is given with static keys; takes the endpoint.
        native: What makes it go by its own S3 client; None: that is what it goes by anyhow.
    """

    accessor: Callable[[AccountSession], Any]
    through: Callable[[Any], Read]
    static: Callable[[str], Any]
    native: Callable[[str], Any] | None = None


def s3fs_options(url: str) -> dict[str, Any]:
    """s3fs's, with static keys."""
    given = {"key": "access_key_id", "secret": "secret_access_key", "token": "session_token"}
    static = {name: KEYS[value] for name, value in given.items()}
    return {**static, "endpoint_url": url, "client_kwargs": {"region_name": REGION}}


def object_store_options(url: str) -> dict[str, str]:
    """Those of object_store, with static keys."""
    keys = {f"aws_{name}": value for name, value in KEYS.items()}
    return {**keys, "aws_endpoint": url, "aws_region": REGION, "aws_allow_http": "true"}


def through_boto3(session: boto3.Session) -> Read:
    """By a client, as smart_open and others do that take one."""
    client = session.client("s3")
    return lambda: client.get_object(Bucket=BUCKET, Key="levels.csv")["Body"].read(1)


def static_boto3(_url: str) -> boto3.Session:
    """A plain session; its endpoint is the environment's."""
    key, secret, token = KEYS.values()
    return boto3.Session(key, secret, token, region_name=REGION)


def through_s3fs(fs: Any) -> Read:
    """One file is opened and its first byte read; nothing of it is kept."""

    def read() -> object:
        fs.invalidate_cache()
        with fs.open(f"{BUCKET}/levels.csv", cache_type="none") as file:
            return file.read(1)

    return read


def static_s3fs(url: str) -> Any:
    """A file system with static keys."""
    from s3fs import S3FileSystem  # noqa: PLC0415 # only what is measured is imported

    return S3FileSystem(**s3fs_options(url))


def through_pandas(options: dict[str, Any]) -> Read:
    """The first row of a CSV."""
    import pandas as pd  # noqa: PLC0415 # as above

    return lambda: pd.read_csv(f"s3://{BUCKET}/levels.csv", storage_options=options, nrows=1)


def through_polars(arguments: Mapping[str, Any]) -> Read:
    """The first row of a Parquet file."""
    import polars as pl  # noqa: PLC0415 # as above

    return lambda: pl.scan_parquet(f"s3://{BUCKET}/levels.parquet", **arguments).head(1).collect()


def static_polars(url: str) -> dict[str, Any]:
    """Its arguments."""
    return {"storage_options": object_store_options(url)}


def through_obstore(arguments: Mapping[str, Any]) -> Read:
    """One byte."""
    import obstore  # noqa: PLC0415 # as above
    from obstore.store import S3Store  # noqa: PLC0415 # as above

    store = S3Store(BUCKET, **arguments)
    return lambda: obstore.get_range(store, "levels.csv", start=0, length=1)


def static_obstore(url: str) -> dict[str, Any]:
    """With options of its own."""
    return {"config": object_store_options(url), "client_options": {"allow_http": True}}


def through_pyarrow(fs: Any) -> Read:
    """One byte of a file."""

    def read() -> object:
        with fs.open_input_file(f"{BUCKET}/levels.csv") as file:
            return file.read(1)

    return read


def over_s3fs(url: str) -> Any:
    """PyArrow's file system over s3fs, with static keys."""
    from pyarrow.fs import FSSpecHandler, PyFileSystem  # noqa: PLC0415 # as above

    return PyFileSystem(FSSpecHandler(static_s3fs(url)))


def native_pyarrow(url: str) -> Any:
    """PyArrow's own."""
    from pyarrow.fs import S3FileSystem  # noqa: PLC0415 # as above

    return S3FileSystem(
        access_key=KEYS["access_key_id"],
        secret_key=KEYS["secret_access_key"],
        session_token=KEYS["session_token"],
        endpoint_override=url,
        region=REGION,
    )


def through_duckdb(connection: Any) -> Read:
    """The first row of a Parquet file."""
    query = f"select * from read_parquet('s3://{BUCKET}/levels.parquet') limit 1"
    return lambda: connection.sql(query).fetchall()


def static_duckdb(url: str) -> Any:
    """A connection with s3fs's file system on static keys."""
    import duckdb  # noqa: PLC0415 # as above

    connection = duckdb.connect()
    connection.register_filesystem(static_s3fs(url))
    return connection


def our_duckdb(account: AccountSession) -> Any:
    """A connection of the account's."""
    import duckdb  # noqa: PLC0415 # as above

    return account.data.duckdb(duckdb.connect())


def native_duckdb(url: str) -> Any:
    """DuckDB's httpfs, out of a package that carries it: its own server of extensions is not asked.

    Raises:
        ImportError: The package is not there.
    """
    import duckdb  # noqa: PLC0415 # as above
    import duckdb_extension_httpfs  # noqa: PLC0415 # as above

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / f"v{version('duckdb')}"
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"load '{folder / 'httpfs.duckdb_extension'}'")
    host = url.removeprefix("http://")
    connection.execute(
        f"create secret (type s3, key_id '{KEYS['access_key_id']}', secret '{KEYS['secret_access_key']}', "
        f"session_token '{KEYS['session_token']}', region '{REGION}', endpoint '{host}', use_ssl false, "
        "url_style 'path')"
    )
    return connection


def through_deltalake(options: dict[str, str]) -> Read:
    """The first row of an open table."""
    from deltalake import DeltaTable  # noqa: PLC0415 # as above

    table = DeltaTable(f"s3://{BUCKET}/table", storage_options=options)
    return lambda: table.to_pyarrow_dataset().head(1)


def opening_a_table(options: dict[str, str]) -> Read:
    """A table is opened, which makes a client of S3 that asks for credentials."""
    from deltalake import DeltaTable  # noqa: PLC0415 # as above

    return lambda: DeltaTable(f"s3://{BUCKET}/table", storage_options=options)


def through_pyiceberg(properties: Mapping[str, Any]) -> Read:
    """One byte of a file, by the FileIO that a catalog of these properties has."""
    from pyiceberg.io import load_file_io  # noqa: PLC0415 # as above

    file_io = load_file_io(dict(properties))

    def read() -> object:
        with file_io.new_input(f"s3://{BUCKET}/levels.csv").open() as file:
            return file.read(1)

    return read


def iceberg_properties(file_io: str, url: str) -> dict[str, str]:
    """Those of one of PyIceberg's own FileIOs, with static keys."""
    keys = {
        "s3.access-key-id": KEYS["access_key_id"],
        "s3.secret-access-key": KEYS["secret_access_key"],
        "s3.session-token": KEYS["session_token"],
    }
    return {"py-io-impl": f"pyiceberg.io.{file_io}", "s3.endpoint": url, "s3.region": REGION, **keys}


LIBRARIES: dict[str, Library] = {
    "boto3": Library(lambda account: account, through_boto3, static_boto3),
    "s3fs": Library(lambda account: account.data.s3fs(), through_s3fs, static_s3fs),
    "pandas": Library(lambda account: account.data.pandas(), through_pandas, s3fs_options),
    "polars": Library(lambda account: account.data.polars(), through_polars, static_polars),
    "obstore": Library(lambda account: account.data.obstore(), through_obstore, static_obstore),
    "pyarrow": Library(lambda account: account.data.pyarrow(), through_pyarrow, over_s3fs, native_pyarrow),
    "duckdb": Library(our_duckdb, through_duckdb, static_duckdb, native_duckdb),
    "deltalake": Library(lambda account: account.data.deltalake(), through_deltalake, object_store_options),
    "deltalake, opening a table": Library(
        lambda account: account.data.deltalake(), opening_a_table, object_store_options
    ),
    "pyiceberg": Library(
        lambda account: account.data.pyiceberg(),
        through_pyiceberg,
        lambda url: iceberg_properties("fsspec.FsspecFileIO", url),
        lambda url: iceberg_properties("pyarrow.PyArrowFileIO", url),
    ),
}
