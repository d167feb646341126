"""`xs["name"].data`: what data libraries are given of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xsession._base import public

from ._installed import NEEDED, installed, require

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from s3fs import S3FileSystem

    from ._handed_over import DataSession


@public
class DataLibraries:
    """An account's credentials in the form that each data library takes, refreshed while it is used.

    What it hands out goes on working for hours in one open file, scan or job, and holds no secret, unless `deltalake`
    warns. Region, endpoint, FIPS, CA bundle and addressing are those of the account's S3 clients; what a library can't
    be given of these is an error. A library that is not installed is a `ConfigError` that names the extra.

    Args:
        session: The account's session.
    """

    def __init__(self, session: DataSession) -> None:
        self._session = session

    def s3fs(self, **options: Any) -> S3FileSystem:
        """An `s3fs.S3FileSystem`, for files, and for what takes a file system of fsspec.

        Args:
            options: Whatever else `S3FileSystem` takes, but what says whose credentials are used.

        Raises:
            ConfigError: s3fs is missing, or an option that names credentials, such as `anon` or `key`.
        """
        require("s3fs", self._session.name)
        from ._s3fs import file_system  # noqa: PLC0415 # one library's

        made: S3FileSystem = file_system(self._session, options)
        return made

    def pandas(self, **options: Any) -> dict[str, Any]:
        """The `storage_options` of pandas, dask, xarray, zarr and fsspec.

        Args:
            options: Whatever else `s3fs.S3FileSystem` takes, such as `s3_additional_kwargs`.

        Raises:
            ConfigError: As for `s3fs`.
        """
        require("s3fs", self._session.name)
        from ._s3fs import storage_options  # noqa: PLC0415 # one library's

        return storage_options(self._session, options)

    def polars(self) -> dict[str, Any]:
        """The arguments `storage_options` and `credential_provider` of polars: `pl.scan_parquet(url, **d.polars())`.

        Raises:
            ConfigError: Polars is missing; the account has no region; or polars lacks a setting of its S3 clients.
        """
        require("polars", self._session.name)
        from ._polars import arguments  # noqa: PLC0415 # one library's

        return arguments(self._session)

    def obstore(self) -> dict[str, Any]:
        """The arguments of obstore's store, but the bucket: `S3Store(bucket, **d.obstore())`.

        Raises:
            ConfigError: As for `polars`.
        """
        require("obstore", self._session.name)
        from ._obstore import arguments  # noqa: PLC0415 # one library's

        return arguments(self._session)

    def pyarrow(self) -> FileSystem:
        """A `pyarrow.fs.FileSystem` over s3fs, for `filesystem=`; paths begin with the bucket, without "s3://".

        Raises:
            ConfigError: PyArrow or s3fs is missing.
        """
        require("pyarrow", self._session.name)
        from ._pyarrow import arrow_file_system  # noqa: PLC0415 # one library's

        made: FileSystem = arrow_file_system(self._session)
        return made

    def duckdb(self, connection: Any) -> Any:
        """Has DuckDB read and write "s3://" as the account on one connection, by s3fs; returns the connection.

        No secret of DuckDB's is made, and no extension is loaded.

        Args:
            connection: What `duckdb.connect()` returned.

        Raises:
            ConfigError: DuckDB or s3fs is missing; or the connection reads as another account already.
        """
        require("duckdb", self._session.name)
        from ._duckdb import register  # noqa: PLC0415 # one library's

        return register(self._session, connection)

    def deltalake(self) -> dict[str, str]:
        """The `storage_options` of deltalake: `DeltaTable(url, storage_options=d.deltalake())`.

        They name an endpoint on loopback that the session serves, and a file with its token, until `close()`: deltalake
        asks there for current credentials. Both are of this process: a table does not travel to another one. To open a
        table takes 1.7 times as long as with static keys; once open, it is as fast.

        Where the environment has keys, a web identity or the role of a task on ECS, deltalake takes these first. Then
        the options hold the account's current keys: secrets, which end with the session that they are of, after minutes
        at worst.

        Warns:
            FrozenCredentialsWarning: The environment has `AWS_ACCESS_KEY_ID` or the like, so they won't be refreshed.

        Raises:
            ConfigError: As for `polars`; or the environment has a token, which would be sent with the account's
                long-term keys.
            CredentialsError: There are no credentials yet, and they could not be obtained.
        """
        require("deltalake", self._session.name)
        from ._deltalake import options  # noqa: PLC0415 # one library's

        return options(self._session)

    def pyiceberg(self) -> dict[str, Any]:
        """The properties of a catalog, `load_catalog(name, **d.pyiceberg())`: its files and its Glue are the account's.

        Raises:
            ConfigError: PyIceberg or s3fs is missing.
        """
        require("pyiceberg", self._session.name)
        from ._pyiceberg import properties  # noqa: PLC0415 # one library's

        return properties(self._session)

    def __repr__(self) -> str:
        versions = {library: installed(library) for library in NEEDED}
        there = ", ".join(f"{library} {release}" for library, release in versions.items() if release) or "none"
        missing = ", ".join(library for library, release in versions.items() if release is None)
        rest = f"; not installed: {missing}" if missing else ""
        return f"<data libraries of {self._session.name!r}: {there}{rest}>"
