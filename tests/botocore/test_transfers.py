"""Transfers never give an account's credentials to boto3's CRT client, which is one for the process."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from s3transfer.manager import TransferManager
from s3transfer.subscribers import BaseSubscriber

from tests.support.client_paths import Bench
from tests.support.worlds import BATMAN, BUCKET, World
from xsession import AssumeRoleError, ConfigError
from xsession._botocore._transfers import _classic, _pass_common_runtime_by
from xsession.policies import trust

METHODS = ["download_file", "download_fileobj", "upload_file", "upload_fileobj"]


@pytest.fixture
def s3(bench: Bench) -> Any:
    """Vegeta's client; his bucket is there."""
    bench.world.bucket()
    return bench.client("s3")


@pytest.fixture
def optimized(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A machine on which boto3 would choose the CRT by itself; the configurations that it was asked about."""
    asked: list[Any] = []

    def should_use_crt(config: Any) -> bool:
        asked.append(config.preferred_transfer_client)
        return bool(config.preferred_transfer_client != "classic")

    monkeypatch.setattr("boto3.s3.transfer._should_use_crt", should_use_crt)
    return asked


def transfers(client: Any, folder: Path, **options: Any) -> list[Any]:
    """One transfer by each method."""
    path = folder / "file"
    path.write_bytes(b"x")
    return [
        client.upload_file(str(path), BUCKET, "k", **options),
        client.upload_fileobj(io.BytesIO(b"x"), BUCKET, "k", **options),
        client.download_file(BUCKET, "k", str(path), **options),
        client.download_fileobj(BUCKET, "k", io.BytesIO(), **options),
    ]


@pytest.mark.parametrize("config", [None, TransferConfig(), TransferConfig(preferred_transfer_client="classic")])
def test_transfers_are_classic_wherever_they_run(s3: Any, optimized: list[str], tmp_path: Path, config: Any) -> None:
    """Whoever chose nothing gets what works for all accounts alike; what was passed in stays as it is."""
    before = None if config is None else config.preferred_transfer_client
    transfers(s3, tmp_path, Config=config)
    assert optimized == ["classic"] * 4
    assert config is None or config.preferred_transfer_client == before


@pytest.mark.parametrize("method", METHODS)
def test_the_common_runtime_is_refused_by_name(s3: Any, method: str) -> None:
    """In words that say what to do."""
    with pytest.raises(ConfigError, match="classic"):
        getattr(s3, method)("a", "b", "c", Config=TransferConfig(preferred_transfer_client="CRT"))


@pytest.mark.parametrize("method", METHODS)
def test_wrong_arguments_are_boto3s_business(s3: Any, method: str) -> None:
    """As are the documentation and the signature."""
    with pytest.raises(TypeError):
        getattr(s3, method)(Wrong=1)
    assert getattr(type(s3), method).__name__ == method


def test_the_common_runtime_never_gets_the_credentials(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it has no client yet, that is refused; where it has somebody's, boto3 finds that they differ."""
    runtime = SimpleNamespace(CRT_S3_CLIENT=None)
    monkeypatch.setitem(sys.modules, "boto3.crt", runtime)
    with pytest.raises(ConfigError, match="CRT"):
        s3._get_credentials()
    runtime.CRT_S3_CLIENT = object()
    assert s3._get_credentials() is None


def test_boto3_makes_the_other_manager_for_others_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls create_transfer_manager; the check is put there once, however many clients are made."""
    asked: list[Any] = []
    monkeypatch.setattr("boto3.s3.transfer.create_crt_transfer_manager", lambda *of: asked.append(of), raising=False)
    ours, others = bench.client("s3"), bench.world.source.client("s3")
    create: Any = vars(sys.modules["boto3.s3.transfer"])["create_crt_transfer_manager"]
    _pass_common_runtime_by()
    assert vars(sys.modules["boto3.s3.transfer"])["create_crt_transfer_manager"] is create
    config = TransferConfig()
    assert create(ours, config) is None
    with pytest.raises(ConfigError, match="CRT"):
        create(ours, TransferConfig(preferred_transfer_client="crt"))
    assert asked == []
    create(others, config)
    assert asked == [(others, config)]


def test_others_may_ask_a_client_for_its_credentials(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they may ask any of botocore's."""
    monkeypatch.delitem(sys.modules, "boto3.crt", raising=False)
    assert s3._get_credentials() is s3._request_signer._credentials


def test_what_is_no_transfer_config_is_left_alone() -> None:
    """boto3 says what it thinks of it."""
    config = object()
    assert _classic(config) is config


def test_a_transfer_of_a_refused_account_is_done_once(world: World) -> None:
    """With our error; neither its callback nor whoever waits for it is left hanging."""
    world.vegeta.set_trust("Reader", trust(BATMAN, external_id="other"))
    world.bucket()
    done: list[object] = []

    class Subscriber(BaseSubscriber):
        def on_done(self, future: Any, **_kwargs: object) -> None:
            done.append(future)

    with TransferManager(world.session().get_client("s3", "vegeta")) as manager:
        future = manager.upload(io.BytesIO(b"x"), BUCKET, "k", subscribers=[Subscriber()])
        with pytest.raises(AssumeRoleError):
            future.result()
    assert done == [future]
