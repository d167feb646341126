"""Region, endpoint, certificates and addressing of an account's S3 clients, in each library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config

from tests.support.data_jobs import DataWorld
from tests.support.tls import over_tls
from xsession import Account, ConfigError, CrossAccountSession

for library in ("deltalake", "duckdb", "obstore", "pandas", "polars", "pyarrow", "pyiceberg", "s3fs"):
    pytest.importorskip(library)

from deltalake import DeltaTable, write_deltalake  # noqa: E402 # where they are installed
from duckdb import connect  # noqa: E402
from obstore import get  # noqa: E402
from obstore.store import S3Store  # noqa: E402
from pandas import read_csv  # noqa: E402
from polars import scan_csv  # noqa: E402
from pyarrow import table  # noqa: E402
from pyiceberg.io import load_file_io  # noqa: E402

ADDRESS = "s3://vegeta/scouter.csv"


def through_deltalake(d: Any) -> int:
    """A table is written and read."""
    options = d.deltalake()
    write_deltalake("s3://vegeta/table", table({"level": [1, 2]}), storage_options=options, mode="overwrite")
    return int(DeltaTable("s3://vegeta/table", storage_options=options).to_pyarrow_table().num_rows)


def through_pyiceberg(d: Any) -> int:
    """A file is read by the FileIO that a catalog has."""
    with load_file_io(d.pyiceberg()).new_input(ADDRESS).open() as file:
        return rows(file.read())


def through_pyarrow(d: Any) -> int:
    """A file is read."""
    with d.pyarrow().open_input_file("vegeta/scouter.csv") as file:
        return rows(file.read())


def rows(content: bytes) -> int:
    """Those of the CSV, without its head."""
    return content.count(b"\n") - 1


READS: dict[str, Callable[[Any], int]] = {
    "deltalake": through_deltalake,
    "duckdb": lambda d: len(d.duckdb(connect()).read_csv(ADDRESS).fetchall()),
    "obstore": lambda d: rows(bytes(get(S3Store("vegeta", **d.obstore()), "scouter.csv").bytes())),
    "pandas": lambda d: len(read_csv(ADDRESS, storage_options=d.pandas())),
    "polars": lambda d: len(scan_csv(ADDRESS, **d.polars()).collect()),
    "pyarrow": through_pyarrow,
    "pyiceberg": through_pyiceberg,
    "s3fs": lambda d: rows(d.s3fs().cat("vegeta/scouter.csv")),
}
"""One read by each accessor; two rows."""
POLARS = pytest.param("polars", marks=pytest.mark.own_python)
LIBRARIES = [POLARS if library == "polars" else library for library in READS]
SETTINGS = ["variable", "profile", "path style", "private CA"]


@pytest.fixture(params=SETTINGS)
def xs(
    request: pytest.FixtureRequest, made: DataWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[CrossAccountSession]:
    """A session whose source is a profile, and whose S3 is told by one setting alone."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    made.aws.set_lifetime(None)
    key = made.batman.user("alfred")
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
    profile = f"[profile alfred]\n{keys}\nregion = eu-west-1\n"
    if request.param == "profile":
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        profile += f"endpoint_url = {made.aws.endpoint_url}\n"
    made.aws.write_profiles(profile)
    if request.param != "private CA":
        config = Config(s3={"addressing_style": "path"}) if request.param == "path style" else None
        yield made.session(profile_name="alfred", config=config)
        return
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with over_tls(ca, made.aws.endpoint_url) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
        yield made.session(profile_name="alfred")
        assert server.connections


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_accounts_endpoint_is_the_librarys(library: str, xs: CrossAccountSession, made: DataWorld) -> None:
    """Wherever it was set; over TLS too, with a certificate that no machine knows."""
    assert READS[library](xs["vegeta"].data) == 2
    made.check()
    assert {call.region_name for call in made.s3()} == {"eu-west-1"}


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_a_region_it_reads_or_says_so(library: str, made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """As boto3's S3, in us-east-1; or, before anything is sent, what to pass: object_store would take one unasked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    made.aws.set_lifetime(None)
    key = made.batman.user("alfred")
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"
    made.aws.write_profiles(f"[profile alfred]\n{keys}\nendpoint_url = {made.aws.endpoint_url}\n")
    account = made.session(profile_name="alfred")["vegeta"]
    assert account.region_name is None
    if library in {"deltalake", "obstore", "polars"}:
        with pytest.raises(ConfigError, match=r"'vegeta': .* needs a region.*region_name="):
            READS[library](account.data)
        assert made.aws.calls == []
    else:
        assert READS[library](account.data) == 2
        made.check()
        assert {call.region_name for call in made.s3()} == {"us-east-1"}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.filterwarnings("ignore::xsession.errors.FrozenCredentialsWarning")  # of deltalake's keys
def test_the_account_signs_whatever_the_environment_says(
    library: str, made: DataWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bulma's keys, a profile that does not exist; and object_store takes settings that it is not told from there."""
    made.aws.set_lifetime(None)
    data = made.from_profile()["vegeta"].data
    for name, value in made.aws.environ(made.bulma.user("bulma")).items():
        monkeypatch.setenv(name, value)
    if library != "deltalake":
        # It reads none, but moto does for an object that is not there, as deltalake's log at first.
        monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert READS[library](data) == 2
    made.check()


@pytest.mark.parametrize("library", ["deltalake", "obstore", POLARS, "s3fs"])
def test_a_certificate_of_nobody_is_refused(library: str, made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the bundle, nothing is sent; the others go by s3fs."""
    xs = made.from_profile()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with over_tls(trustme.CA(), made.aws.endpoint_url) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        made.aws.clear_calls()
        with pytest.raises(Exception, match=r"(?i)certificate|ssl|error sending request"):
            READS[library](xs["vegeta"].data)
    assert made.s3() == []


@pytest.mark.parametrize(
    "config",
    [
        Config(use_fips_endpoint=True),
        Config(use_dualstack_endpoint=True),
        Config(s3={"addressing_style": "virtual"}),
        Config(s3={"use_accelerate_endpoint": True}),
        Config(s3={"addressing_style": "path"}),
    ],
    ids=lambda config: "-".join(config._user_provided_options),
)
def test_what_is_on_s3fs_has_boto3s_endpoint(config: Config) -> None:
    """FIPS, dual-stack and addressing: signed addresses of both are of one host and path."""
    object_ = {"Bucket": "bucket", "Key": "key"}
    source = boto3.Session("AKIDEXAMPLE", "s", region_name="eu-west-1")

    async def signed(fs: Any) -> str:
        s3 = await fs.set_session()
        return str(await s3.generate_presigned_url("get_object", object_))

    with CrossAccountSession({"vegeta": Account("vegeta", source=source)}, session=source, config=config) as xs:
        theirs = xs["vegeta"].client("s3").generate_presigned_url("get_object", object_)
        ours = asyncio.run(signed(xs["vegeta"].data.s3fs(asynchronous=True, skip_instance_cache=True)))
    assert ours.partition("?")[0] == theirs.partition("?")[0]
