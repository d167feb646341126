"""With awscrt installed, on a machine where boto3 would choose it: `make test-crt`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import S3Transfer, TransferConfig, create_transfer_manager
from s3transfer.manager import TransferManager

from tests.support.worlds import BUCKET, World
from xsession import ConfigError, RefreshPolicy, SessionClosedError, XSessionError
from xsession.errors import RevocationError
from xsession.policies import trust
from xsession.testing import Fault

awscrt_s3 = pytest.importorskip("awscrt.s3", reason="awscrt is not installed: run make test-crt", exc_type=ImportError)
runtime = pytest.importorskip("boto3.crt")
process_lock = pytest.importorskip("s3transfer.crt")

pytestmark = pytest.mark.crt

BY_NAME: Any = TransferConfig(preferred_transfer_client="crt")
LEFT_TO_BOTO3 = [TransferConfig(), TransferConfig(preferred_transfer_client="auto")]
FAST = "CRTTransferManager"


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One of those that the runtime is made for, in a process that has transferred nothing yet."""
    monkeypatch.setattr(awscrt_s3, "is_optimized_for_system", lambda: True)
    monkeypatch.setattr(runtime, "CRT_S3_CLIENT", None)
    monkeypatch.setattr(runtime, "BOTOCORE_CRT_SERIALIZER", None)
    monkeypatch.setattr(process_lock, "CRT_S3_PROCESS_LOCK", None)
    yield
    if (lock := process_lock.CRT_S3_PROCESS_LOCK) is not None:
        lock.release()


def s3_of(world: World, **options: Any) -> Any:
    """Vegeta's client; his bucket is there."""
    world.bucket()
    return world.session(**options).get_client("s3", "vegeta")


def plain(world: World) -> Any:
    """A client of plain boto3."""
    return world.source.client("s3")


def manager_of(client: Any) -> str:
    """Which one boto3 makes for a client, where nobody chose one."""
    with create_transfer_manager(client, TransferConfig()) as manager:
        return type(manager).__name__


def test_plain_boto3_uses_the_runtime_here(world: World) -> None:
    """Else the tests below would show nothing."""
    assert manager_of(plain(world)) == FAST
    assert manager_of(world.aws.session(world.batman.user("clerk")).client("s3")) == "TransferManager"


@pytest.mark.parametrize("config", [None, *LEFT_TO_BOTO3])
def test_methods_of_a_client_transfer(world: World, tmp_path: Path, config: TransferConfig | None) -> None:
    """Up and down, by the classic manager; and nothing of it is left behind for others."""
    s3, path = s3_of(world), tmp_path / "file"
    path.write_bytes(b"over 9000")
    s3.upload_file(str(path), BUCKET, "by-name", Config=config)
    s3.upload_fileobj(io.BytesIO(b"over 9000"), BUCKET, "by-object", Config=config)
    for key in ("by-name", "by-object"):
        s3.download_file(BUCKET, key, str(tmp_path / key), Config=config)
        s3.download_fileobj(BUCKET, key, into := io.BytesIO(), Config=config)
        assert into.getvalue() == (tmp_path / key).read_bytes() == b"over 9000"
    assert (runtime.CRT_S3_CLIENT, process_lock.CRT_S3_PROCESS_LOCK) == (None, None)


def test_a_large_file_is_transferred_in_parts(world: World) -> None:
    """Sixteen megabytes of them."""
    s3, body = s3_of(world), bytes(range(256)) * 65_536
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "large")
    s3.download_fileobj(BUCKET, "large", into := io.BytesIO())
    assert into.getvalue() == body
    assert "UploadPart" in {call.operation for call in world.aws.calls}


@pytest.mark.parametrize("config", LEFT_TO_BOTO3)
def test_transfers_of_boto3_take_our_clients(world: World, tmp_path: Path, config: Any) -> None:
    """S3Transfer and create_transfer_manager, as libraries call them: by the classic manager too."""
    s3, path = s3_of(world), tmp_path / "file"
    path.write_bytes(b"over 9000")
    S3Transfer(s3, config).upload_file(str(path), BUCKET, "k")
    S3Transfer(s3).download_file(BUCKET, "k", str(path))
    with create_transfer_manager(s3, config) as manager:
        assert type(manager) is TransferManager
        manager.download(BUCKET, "k", into := io.BytesIO()).result()
    assert into.getvalue() == b"over 9000"
    assert (runtime.CRT_S3_CLIENT, process_lock.CRT_S3_PROCESS_LOCK) == (None, None)


@pytest.mark.parametrize("algorithm", ["CRC32C", "CRC64NVME"])
def test_checksums_that_only_awscrt_makes_are_taken(world: World, algorithm: Any) -> None:
    """By the local AWS, which makes them in its own way; and they are read back."""
    s3 = s3_of(world)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"over 9000", ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")["Body"].read() == b"over 9000"


def test_resources_transfer(world: World) -> None:
    """As boto3's Bucket and Object do."""
    world.bucket()
    bucket = world.session().session("vegeta").resource("s3").Bucket(BUCKET)
    bucket.upload_fileobj(io.BytesIO(b"over 9000"), "k")
    bucket.Object("k").download_fileobj(into := io.BytesIO())
    bucket.copy({"Bucket": BUCKET, "Key": "k"}, "copied")
    assert into.getvalue() == b"over 9000"
    assert runtime.CRT_S3_CLIENT is None


@pytest.mark.parametrize("others", [False, True], ids=["nobody-transferred", "others-did"])
def test_asked_for_by_name_it_is_refused(world: World, others: bool) -> None:
    """In words, whether or not the process has such a client, which stays that of whoever has it."""
    s3 = s3_of(world)
    fast = manager_of(plain(world)) if others else None
    held = runtime.CRT_S3_CLIENT
    uses: list[Callable[[], object]] = [
        lambda: s3.upload_fileobj(io.BytesIO(), BUCKET, "k", Config=BY_NAME),
        lambda: S3Transfer(s3, BY_NAME),
        lambda: create_transfer_manager(s3, BY_NAME),
    ]
    for use in uses:
        with pytest.raises(ConfigError, match="preferred_transfer_client"):
            use()
    assert runtime.CRT_S3_CLIENT is held
    assert not others or manager_of(plain(world)) == fast == FAST


def test_boto3s_own_rooms_get_no_credentials(world: World) -> None:
    """Not even of who calls what boto3 keeps to itself."""
    s3 = s3_of(world)
    with pytest.raises(ConfigError, match="CRT"):
        runtime.create_crt_transfer_manager(s3, TransferConfig())
    assert manager_of(plain(world)) == FAST
    assert runtime.create_crt_transfer_manager(s3, TransferConfig()) is None


def attempt(client: Any) -> Exception | None:
    """An upload; what it raised."""
    try:
        client.upload_fileobj(io.BytesIO(b"x"), BUCKET, "k")
    except XSessionError as error:
        return error
    return None


def test_after_a_refused_accounts_transfer_all_others_are_as_fast(world: World) -> None:
    """Plain boto3's transfers use the runtime, and another account's work."""
    stranger = world.vegeta.role("Stranger", trusts=trust("999999999999"))
    world.bucket()
    xs = world.session({"stranger": stranger, "vegeta": world.role}, refresh=RefreshPolicy(patience=1))
    assert attempt(xs.get_client("s3", "stranger")) is not None
    assert manager_of(plain(world)) == FAST
    assert attempt(xs.get_client("s3", "vegeta")) is None


def test_while_an_accounts_first_transfer_hangs_all_others_are_as_fast(world: World) -> None:
    """It waits for STS; they don't."""
    world.bucket()
    slow = world.vegeta.role("Slow", trusts=trust("111111111111"))
    xs = world.session({"slow": slow, "vegeta": world.role})
    world.aws.fail(Fault(operation="AssumeRole", role_arn=slow, kind="hang"))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(attempt, xs.get_client("s3", "slow"))
        assert manager_of(plain(world)) == FAST
        assert attempt(xs.get_client("s3", "vegeta")) is None
        assert not hanging.done()
        world.aws.recover()
        assert hanging.result(30) is None


def test_after_a_closed_sessions_transfers_all_others_are_as_fast(world: World) -> None:
    """It transferred first."""
    s3 = s3_of(world)
    assert attempt(s3) is None
    world.close()
    assert isinstance(attempt(s3), SessionClosedError)
    assert manager_of(plain(world)) == FAST
    assert attempt(s3_of(world)) is None


def test_after_a_grants_end_all_others_are_as_fast(world: World) -> None:
    """It transferred first."""
    world.bucket()
    grant = world.session().grant("vegeta", to="joe", duration=900)
    s3 = grant.session.client("s3")
    assert attempt(s3) is None
    with pytest.raises(RevocationError):  # AWS was not asked: it ended here
        grant.revoke()
    assert attempt(s3) is not None
    assert manager_of(plain(world)) == FAST
    assert attempt(s3_of(world)) is None
