"""What a source's session was given by hand reaches its accounts, on both paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
import botocore.loaders
import pytest

from tests.support.client_paths import KEY, MakeCore, answered
from tests.support.worlds import VEGETA, World, who
from xsession import CrossAccountSession

MODEL = {
    "metadata": {
        "apiVersion": "2020-01-01",
        "endpointPrefix": "planets",
        "protocol": "rest-json",
        "serviceId": "Planets",
        "serviceFullName": "Planets",
        "signatureVersion": "v4",
    },
    "operations": {"ListPlanets": {"name": "ListPlanets", "http": {"method": "GET", "requestUri": "/"}}},
    "shapes": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder with the model of a service that botocore has not."""
    path = tmp_path / "planets" / "2020-01-01" / "service-2.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(MODEL))
    return str(tmp_path)


def searches(session: boto3.Session, folder: str) -> None:
    """One more folder for the session's loader."""
    session._session.get_component("data_loader").search_paths.append(folder)


def has_loader(session: boto3.Session, folder: str) -> None:
    """A loader of the session's own."""
    session._session.register_component("data_loader", botocore.loaders.Loader(extra_search_paths=[folder]))


@pytest.mark.parametrize("give", [searches, has_loader])
def test_models_that_a_session_was_given_are_found(
    core: MakeCore, folder: str, give: Callable[[boto3.Session, str], None]
) -> None:
    """A folder of its loader, or a loader of its own; boto3's own models are found as before."""
    source = boto3.Session()
    give(source, folder)
    made = core(source)
    client = made.client("planets", KEY, "eu-west-1")
    assert client.meta.service_model.service_id == "Planets"
    session = made.boto3_session(KEY, "eu-west-1")
    assert "planets" in session.get_available_services()
    assert "s3" in session.get_available_resources()


def test_the_loader_of_a_session_that_was_given_nothing_is_shared(core: MakeCore) -> None:
    """So that models are read once, whatever the number of sources."""
    assert core(boto3.Session())._loader is not boto3.Session()._session.get_component("data_loader")


def test_handlers_that_a_session_was_given_run_for_its_accounts(core: MakeCore) -> None:
    """Those for classes, and those for requests, each in its section and once, however they are called."""
    source, heard = boto3.Session(), []

    class Tracer:
        def last(self, **_event: Any) -> None:
            heard.append("last")

    def add(class_attributes: dict[str, Any], **_event: Any) -> None:
        class_attributes["mine"] = lambda _self: "mine"

    source.events.register_last("before-call", Tracer().last, unique_id="tracer")
    source.events.register("before-call", lambda **_event: heard.append("middle"))
    source.events.register("creating-client-class.dynamodb", add)
    source.events.register("creating-resource-class.s3.ServiceResource", add)
    made = core(source)
    clients: list[Any] = [made.client("dynamodb", KEY, "eu-west-1") for _ in range(2)]
    for client in (*clients, made.boto3_session(KEY, "eu-west-1").client("dynamodb")):
        heard.clear()
        assert client.mine() == "mine"
        answered(client)
        client.list_tables()
        assert heard == ["middle", "last"]
    resource: Any = made.boto3_session(KEY, "eu-west-1").resource("s3")
    assert resource.mine() == "mine"
    assert resource.Bucket("b").upload_file


def test_builtin_handlers_are_not_registered_twice(core: MakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's are among botocore's own, which each session begins with."""
    heard = []

    def builtin(**_event: Any) -> None:
        heard.append(1)

    monkeypatch.setattr(
        botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, ("before-call", builtin)]
    )
    client = core(boto3.Session()).client("dynamodb", KEY, "eu-west-1")
    answered(client)
    client.list_tables()
    assert heard == [1]


def test_handlers_of_the_source_see_nothing_of_sts(world: World) -> None:
    """What STS answers us is a secret, and what it is asked is ours to decide."""
    operations: list[str] = []
    world.source.events.register("after-call", lambda model, **_event: operations.append(model.name))
    with CrossAccountSession({"vegeta": world.vegeta.role("R", trusts="1" * 12)}, session=world.source) as xs:
        assert who(xs.get_client("sts", "vegeta")) == VEGETA
    assert operations == ["GetCallerIdentity"]


def test_a_botocore_that_keeps_handlers_otherwise_has_none_to_give(core: MakeCore) -> None:
    """Clients are made all the same."""
    source = boto3.Session()
    source._session.get_component("event_emitter")._emitter._unique_id_handlers = None
    assert core(source).client("sqs", KEY, "eu-west-1").meta.region_name == "eu-west-1"
