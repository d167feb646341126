from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import time
from typing import Any

import pytest

from tests.support.data_jobs import CSV, LIFETIME, DataWorld
from xsession import AssumeRoleError, ConfigError, SessionClosedError
from xsession.policies import s3_read, trust

pytest.importorskip("s3fs")


def test_an_open_file_is_read_over_three_sessions(made: DataWorld) -> None:
    """One handle, a part of it in each session."""
    part = 1 << 20
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="big", Body=bytes(8 * part))
    made.aws.clear_calls()
    with made.session()["vegeta"].data.s3fs(default_cache_type="none").open("vegeta/big", block_size=part) as file:
        for _ in made.rounds():
            assert len(file.read(2 * part)) == 2 * part
        assert file.read() == b""
    made.check()


def test_a_file_is_written_over_three_sessions(made: DataWorld) -> None:
    """One handle, five parts and more; the bytes are equal."""
    part = os.urandom(5 << 20)
    made.live(20.0)
    fs = made.session()["vegeta"].data.s3fs()
    with fs.open("vegeta/big", "wb", block_size=len(part)) as file:
        for number in made.rounds():
            file.write(part * (1 + (number == 0)))
            file.flush()
    made.check()
    assert fs.cat("vegeta/big") == part * 5
    assert sum(call.operation == "UploadPart" for call in made.s3()) >= 4


def test_accounts_do_not_share_a_file_system(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsspec keeps file systems by their options; a profile that changes meanwhile changes nothing."""
    xs = made.from_profile()
    first, other = xs["vegeta"].data.s3fs(), xs["bulma"].data.s3fs()
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert xs["vegeta"].data.s3fs() is first is not other
    with pytest.raises(PermissionError):
        first.cat("bulma/scouter.csv")
    assert other.cat("bulma/scouter.csv") == CSV


def test_a_narrowed_session_has_a_file_system_of_its_own(made: DataWorld) -> None:
    """The broad one's must not serve it."""
    xs = made.session()
    assert xs["vegeta"].data.s3fs().cat("vegeta/scouter.csv") == CSV
    with pytest.raises(PermissionError):
        xs.session("vegeta", policy=s3_read("other")).data.s3fs().cat("vegeta/scouter.csv")


def test_listings_can_be_read_again(made: DataWorld) -> None:
    """Clearing fsspec's caches loses no credentials."""
    xs = made.session()
    fs = xs["vegeta"].data.s3fs()
    assert fs.ls("vegeta") == ["vegeta/scouter.csv"]
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="new", Body=b"")
    fs.invalidate_cache()
    type(fs).clear_instance_cache()
    assert len(fs.ls("vegeta")) == len(xs["vegeta"].data.s3fs().ls("vegeta")) == 2
    made.check()


def test_a_refused_role_is_our_error_and_nothing_goes_out_unsigned(made: DataWorld) -> None:
    """s3fs would be anonymous by itself."""
    made.vegeta.set_trust("Reader", trust(made.roles["bulma"]))
    made.aws.clear_calls()
    with pytest.raises(Exception, match="vegeta") as caught:
        made.session()["vegeta"].data.s3fs().ls("vegeta")
    assert any(isinstance(error, AssumeRoleError) for error in (caught.value, caught.value.__cause__))
    assert made.s3() == []
    with pytest.raises(ConfigError):
        made.session()["vegeta"].data.s3fs(anon=True)


def test_sync_and_async_use_alternate(made: DataWorld) -> None:
    """Neither ties the session to its loop."""
    session = made.session()["vegeta"]
    made.aws.set_lifetime(None)
    fs = session.data.s3fs()

    async def keys() -> list[str]:
        async with session.aio().create_client("s3") as s3:
            return [item["Key"] for item in (await s3.list_objects_v2(Bucket="vegeta"))["Contents"]]

    for _ in range(10):
        fs.invalidate_cache()
        assert fs.ls("vegeta") == ["vegeta/scouter.csv"]
        assert asyncio.run(keys()) == ["scouter.csv"]
    made.check(most=1)


def test_forked_children_read_by_themselves(made: DataWorld) -> None:
    """The parent's file system is no use there; a new one is."""
    xs = made.session()
    made.aws.set_lifetime(None)
    assert xs["vegeta"].data.s3fs().ls("vegeta")
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            failed = 1
            try:
                failed = xs["vegeta"].data.s3fs().ls("vegeta", refresh=True) != ["vegeta/scouter.csv"]
            finally:
                os._exit(failed)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    made.check(most=3)


def test_it_outlives_every_other_name_and_ends_with_the_session(made: DataWorld) -> None:
    """What is computed after the session's block ends with an error that says so."""
    fs = made.session()["vegeta"].data.s3fs()
    made._sessions.clear()
    assert fs.cat("vegeta/scouter.csv") == CSV
    gc.collect()
    time.sleep(LIFETIME + 0.2)
    assert fs.cat("vegeta/scouter.csv") == CSV
    with made.session() as xs:
        fs = xs["vegeta"].data.s3fs()
        assert fs.cat("vegeta/scouter.csv") == CSV
    with pytest.raises(SessionClosedError):
        fs.cat("vegeta/scouter.csv")
    made.check(most=4)


def test_no_key_lies_in_it(made: DataWorld) -> None:
    """Libraries that ask its session are given current ones."""
    xs = made.session()
    fs = xs["vegeta"].data.s3fs()

    async def frozen() -> Any:
        return await (await fs.session.get_credentials()).get_frozen_credentials()

    found, ours = asyncio.run(frozen()), xs.get_frozen_credentials("vegeta")
    assert tuple(found)[:3] == (ours.access_key_id, ours.secret_access_key, ours.session_token)
    assert (fs.key, fs.secret, fs.token) == (None, None, None)
    assert ours.secret_access_key not in repr(fs.storage_options)


def test_it_is_pickled_without_a_secret(made: DataWorld) -> None:
    """And reads as the account where it is loaded."""
    xs = made.session()
    fs = xs["vegeta"].data.s3fs()
    assert fs.cat("vegeta/scouter.csv") == CSV
    ours = xs.get_frozen_credentials("vegeta")
    pickled = pickle.dumps(fs)
    assert ours.secret_access_key.encode() not in pickled
    assert str(ours.session_token).encode() not in pickled
    assert pickle.loads(pickled).cat("vegeta/scouter.csv") == CSV
    made.check()
