from __future__ import annotations

import os
import pickle
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.support.worlds import VEGETA, World, who
from xsession import (
    Account,
    ConfigError,
    CrossAccountSession,
    MemoryStore,
    SourceCredentialsError,
    WrongAccountError,
)
from xsession._worker_copies import worker_copies
from xsession.integrations._polars import PolarsCredentials
from xsession.policies import s3_read


@pytest.fixture
def portable(world: World) -> Any:
    """A session whose source is the environment's."""
    with world.aws.applied(world.key):
        yield world.session(session=None, hooks=())


def forgotten(world: World, pickled: bytes) -> Any:
    """What a process that has no such session loads: fixtures hold the one of this process."""
    world.forget()
    worker_copies().after_fork()
    return pickle.loads(pickled)


def test_an_account_travels_by_name(world: World, portable: CrossAccountSession) -> None:
    """With its region, and without a secret."""
    secret = portable.get_frozen_credentials("vegeta").secret_access_key
    pickled = pickle.dumps(portable["vegeta"])
    assert secret.encode() not in pickled
    assert world.key.secret_access_key.encode() not in pickled
    with world.aws.applied(world.key):
        loaded = forgotten(world, pickled)
        assert (loaded.name, loaded.account_id, loaded.region_name) == ("vegeta", VEGETA, "eu-west-1")
        assert who(loaded.client("sts")) == VEGETA


def test_a_provider_works_for_no_other_source(world: World, portable: CrossAccountSession) -> None:
    """Polars hands its provider to other processes: https://github.com/pola-rs/polars/pull/21121."""
    pickled = pickle.dumps(PolarsCredentials(portable["vegeta"]))
    with world.aws.applied(world.batman.user("robin")):
        provider = forgotten(world, pickled)
        world.aws.clear_calls()
        with pytest.raises(SourceCredentialsError, match="user/robin"):
            provider()
    assert world.aws.count("AssumeRole") == 0


def test_the_region_is_that_of_where_it_was_pickled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's own default must not send requests elsewhere."""
    with world.aws.applied(world.key):
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        pickled = pickle.dumps(world.session(session=None, hooks=())["vegeta"])
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        loaded = forgotten(world, pickled)
        assert loaded.region_name == "eu-central-1"
        assert loaded.client("s3").meta.region_name == "eu-central-1"


@pytest.mark.parametrize("options", [{}, {"region_name": "us-west-2"}, {"duration_seconds": 1_000}])
def test_defaults_are_taken_where_it_is_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """By an account elsewhere, and by one that was made with options, as by the registered one that they are."""
    with world.aws.applied(world.key):
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        xs = world.session(session=None, hooks=(), source_identity="bruce")
        pickled = pickle.dumps(xs.session("vegeta", **options))
        del xs
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
        loaded = forgotten(world, pickled)
        made_there = loaded._owner._session.session("vegeta", **{"region_name": "eu-central-1", **options})
        # It shows the region, and stands for all that shapes the identity.
        assert repr(loaded) == repr(made_there)


def test_one_process_has_one_session_of_a_configuration(world: World, portable: CrossAccountSession) -> None:
    """In the first process it is the one that was pickled; all share one AssumeRole."""
    assert pickle.loads(pickle.dumps(portable["vegeta"])) is portable["vegeta"]
    pickled = [pickle.dumps(portable[name]) for name in ("vegeta", "deep", "vegeta")]
    with world.aws.applied(world.key):
        first = forgotten(world, pickled[0])
        second, third = [pickle.loads(item) for item in pickled[1:]]
        assert first is third
        assert first._owner is second._owner
        for session in (first, third):
            assert who(session.client("sts")) == VEGETA
    assert world.aws.count("AssumeRole", role_arn=world.role) == 1


def test_a_narrowed_session_stays_narrowed(portable: CrossAccountSession) -> None:
    """It must not come out as the broad one."""
    narrow = portable.session("vegeta", policy=s3_read("other-bucket"))
    assert pickle.loads(pickle.dumps(narrow)).chain == narrow.chain != portable["vegeta"].chain


def test_a_closed_session_is_made_again(world: World, portable: CrossAccountSession) -> None:
    """Another task of the worker may have closed it."""
    pickled = pickle.dumps(portable["vegeta"])
    portable.close()
    with world.aws.applied(world.key):
        assert who(pickle.loads(pickled).client("sts")) == VEGETA


def test_a_forked_child_has_its_own(portable: CrossAccountSession) -> None:
    """The parent's connections and credentials are no business of a job that is unpickled there."""
    pickled = pickle.dumps(portable["vegeta"])
    child = os.fork()
    if child == 0:
        os._exit(0 if pickle.loads(pickled) is not portable["vegeta"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pickle.loads(pickled) is portable["vegeta"]


def test_to_pickle_again_asks_no_one(world: World, portable: CrossAccountSession) -> None:
    """Schedulers and caches pickle often; who the source is was asked once."""
    for _ in range(3):
        pickle.dumps(portable["vegeta"])
    assert world.aws.count("GetCallerIdentity") == 1


def test_what_cannot_travel_names_the_way_out(world: World) -> None:
    """A store, hooks, functions."""
    xs = CrossAccountSession({"vegeta": world.role}, store=MemoryStore())
    with pytest.raises(TypeError, match=r'store= is not pickled: .*; worker_session="module:function"'):
        pickle.dumps(xs["vegeta"])
    with pytest.raises(TypeError, match="source of 'own' is a boto3 session"):
        pickle.dumps(world.session(session=None, hooks=())[Account("own", world.role, source=world.source)])


def test_the_workers_own_function_makes_the_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called once in a process, and only its name travels."""
    module: Any = ModuleType("jobs")
    monkeypatch.setitem(sys.modules, "jobs", module)
    made: list[CrossAccountSession] = []

    def make() -> CrossAccountSession:
        made.append(world.session(worker_session="jobs:make"))
        return made[-1]

    module.make = make
    pickled = pickle.dumps(make()["vegeta"])
    assert len(pickled) < 250
    made.clear()
    first, second = forgotten(world, pickled), pickle.loads(pickled)
    assert first is second
    assert who(first.client("sts")) == VEGETA
    assert len(made) == 1


def test_the_workers_function_must_mean_the_same_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name may be another account there."""
    module: Any = ModuleType("jobs")
    monkeypatch.setitem(sys.modules, "jobs", module)
    pickled = pickle.dumps(world.session(worker_session="jobs:make")["vegeta"])
    hub = world.chain.roles[0].role_arn
    module.make = lambda: world.session({"vegeta": hub}, worker_session="jobs:make")
    with pytest.raises(WrongAccountError, match=VEGETA):
        forgotten(world, pickled)


@pytest.mark.parametrize("value", ["jobs", "jobs:", "os.system('x'):f", ":make", 7, ""])
def test_a_bad_name_is_refused_before_it_is_needed(value: Any) -> None:
    """When the session is made, not in a worker."""
    with pytest.raises(ConfigError, match="worker_session"):
        CrossAccountSession({}, worker_session=value)
