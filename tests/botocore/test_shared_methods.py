"""Clients whose classes share their methods, on botocore's own path."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import boto3
import pytest

from tests.support.client_paths import KEY, Bench
from tests.support.worlds import VEGETA, World, who
from xsession._botocore._core import ClientCore


@pytest.fixture
def core() -> ClientCore:
    """A core that makes clients in botocore's own way."""
    return ClientCore(boto3.Session(), fast=False)


def client(core: ClientCore, service_name: str, **arguments: Any) -> Any:
    """A client."""
    return core.client(service_name, KEY, "eu-west-1", **arguments)


def test_methods_are_made_once_for_all_clients_of_a_service(core: ClientCore) -> None:
    """Those that boto3 adds too."""
    one, other = client(core, "s3"), client(core, "s3")
    assert type(one) is not type(other)
    for name in ("list_buckets", "upload_file", "generate_presigned_post"):
        assert getattr(type(one), name) is getattr(type(other), name)


def test_a_client_with_shared_methods_works(world: World) -> None:
    """The second too, which has none of its own."""
    bench = Bench(world, fast=False)
    assert [who(bench.client("sts")) for _ in range(2)] == [VEGETA, VEGETA]
    assert bench.client("sts").can_paginate("get_caller_identity") is False


def test_what_is_changed_in_one_clients_class_stays_there(core: ClientCore) -> None:
    """As with classes of their own."""
    one, other = client(core, "s3"), client(core, "s3")
    type(one).list_buckets = lambda _self: "changed"
    assert one.list_buckets() == "changed"
    assert type(other).list_buckets is not type(one).list_buckets


def test_services_do_not_mix(core: ClientCore) -> None:
    """Each has the methods of its own service alone."""
    client(core, "sts"), client(core, "s3")
    assert not hasattr(type(client(core, "sts")), "list_buckets")
    assert not hasattr(type(client(core, "s3")), "assume_role")


def test_another_api_version_has_its_own_methods(core: ClientCore) -> None:
    """Some came with a later version."""
    newest, old = client(core, "cloudfront"), client(core, "cloudfront", api_version="2014-05-31")
    assert hasattr(newest, "create_function")
    assert not hasattr(type(old), "create_function")
    assert hasattr(client(core, "cloudfront"), "create_function")


def test_a_sessions_own_handlers_change_its_own_clients_classes_only(core: ClientCore) -> None:
    """A method that they add is not the others', and none of theirs is taken from it."""
    client(core, "s3")
    session: Any = core.boto3_session(KEY, "eu-west-1")
    session.events.register(
        "creating-client-class.s3", lambda class_attributes, **_: class_attributes.update(list_buckets="replaced")
    )
    assert session.client("s3").list_buckets == "replaced"
    assert callable(client(core, "s3").list_buckets)


def test_a_session_is_not_kept_alive_by_methods_that_others_share(core: ClientCore) -> None:
    """What documents a method holds the handlers of the session that made it."""
    session = core.boto3_session(KEY, "eu-west-1")
    session.client("sqs")
    events = weakref.ref(session._session.get_component("event_emitter"))
    client(core, "sqs")
    del session
    gc.collect()
    assert events() is None


def test_a_service_model_keeps_no_model_of_each_operation(core: ClientCore) -> None:
    """They are made when they are needed."""
    model = client(core, "ec2").meta.service_model
    assert not model._instance_cache
    assert model.operation_model("DescribeInstances").name == "DescribeInstances"


def test_methods_document_themselves(core: ClientCore) -> None:
    """A notebook's help shows what boto3's own shows."""
    client(core, "s3")
    assert "Bucket" in str(client(core, "s3").head_bucket.__doc__)
