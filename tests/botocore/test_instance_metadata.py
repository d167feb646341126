"""A machine's credentials where its metadata service, or a container's endpoint, does not answer, on real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import botocore.utils
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from tests.support.aws_hosts import Request, one_host
from tests.support.sts_answers import usual
from xsession import CrossAccountSession, SourceCredentialsError
from xsession._botocore import _instance_metadata
from xsession._botocore._instance_metadata import InstanceMetadata, is_ec2
from xsession._botocore._source_session import SourceSession
from xsession.accounts import Profile

ROLE = "arn:aws:iam::222222222222:role/R"
KEYS = {
    "Code": "Success",
    "AccessKeyId": "ASIAMACHINE",
    "SecretAccessKey": "secret-of-the-machine",
    "Token": "t",
    "Expiration": "2100-01-01T00:00:00Z",
}
NOT_TRUSTED = json.dumps({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role"})


def machine(request: Request) -> tuple[int, str]:
    """What the metadata service answers if all is well."""
    if request.method == "PUT":
        return 200, "token"
    return 200, "Role" if request.path.endswith("/") else json.dumps(KEYS)


def hanging(_request: Request) -> tuple[int, str]:
    """What does not come in time."""
    time.sleep(1.2)
    return 200, ""


def refused(monkeypatch: pytest.MonkeyPatch, how: Callable[[Request], tuple[int, str]]) -> SourceCredentialsError:
    """The error of the default chain where the metadata service answers so."""
    with one_host(how) as imds:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url)
        with pytest.raises(SourceCredentialsError, match="no credentials") as caught:
            SourceSession().frozen()
    return caught.value


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda _request: (500, ""), "status 500"),
        (lambda _request: (503, ""), "status 503"),
        (lambda _request: (429, ""), "status 429"),
        (lambda request: (500, "") if request.method == "PUT" else (401, ""), "status 500"),
        (lambda request: (200, "token") if request.method == "PUT" else (200, ""), "no credentials in its answer"),
        (lambda request: (200, NOT_TRUSTED) if request.path.endswith("/Role") else machine(request), "EC2 cannot"),
        (hanging, "ReadTimeoutError"),
    ],
)
def test_a_machine_whose_metadata_do_not_answer_may_do_so_later(
    monkeypatch: pytest.MonkeyPatch, how: Callable[[Request], tuple[int, str]], said: str
) -> None:
    """botocore takes all of that for a machine without credentials."""
    error = refused(monkeypatch, how)
    assert error.retryable
    assert said in str(error)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_machine_that_says_that_it_has_none_has_none(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """No role, or metadata that are switched off: that needs a person."""
    error = refused(monkeypatch, lambda request: (200, "token") if request.method == "PUT" else (status, ""))
    assert not error.retryable
    assert "metadata" not in str(error)


def test_a_configured_endpoint_that_refuses_connections_may_be_there_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody said that it is there."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceCredentialsError, match="EndpointConnectionError") as caught:
        SourceSession().frozen()
    assert caught.value.retryable
    assert SourceSession().has_credentials


def test_an_endpoint_that_can_not_be_one_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore raises then is no NoCredentialsError."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:nothing/")
    with pytest.raises(SourceCredentialsError, match="metadata service") as caught:
        SourceSession().frozen()
    assert not caught.value.retryable


@pytest.mark.parametrize("source", [None, Profile("p", "Ec2InstanceMetadata")])
def test_metadata_that_are_switched_off_are_none(aws_folder: Path, source: Profile | None) -> None:
    """Nothing is asked, and so nothing can be better the next time."""
    (aws_folder / "config").write_text("[profile p]\nregion = eu-west-1\n")
    with pytest.raises(SourceCredentialsError, match="no credentials") as caught:
        SourceSession(source).frozen()
    assert not caught.value.retryable


def test_a_profile_that_names_the_machine_waits_for_it(aws_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the default chain does."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
    (aws_folder / "config").write_text("[profile p]\nregion = eu-west-1\n")
    with pytest.raises(SourceCredentialsError, match="metadata service") as caught:
        SourceSession(Profile("p", "Ec2InstanceMetadata")).frozen()
    assert caught.value.retryable


@pytest.mark.parametrize(("where", "failures"), [("metadata", 2), ("container", 3)])
def test_an_account_comes_up_once_its_machine_answers_again(
    monkeypatch: pytest.MonkeyPatch, where: str, failures: int
) -> None:
    """In the very call that had to wait, and with no call of STS in vain."""
    monkeypatch.setattr(botocore.utils.ContainerMetadataFetcher, "SLEEP_TIME", 0)
    began = time.monotonic()

    def answer(request: Request) -> tuple[int, str]:
        if request.action:
            return usual(request)
        if request.number < failures:
            return 500, ""
        return machine(request) if where == "metadata" else (200, json.dumps(KEYS))

    with one_host(answer) as host:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", host.url)
        name = "EC2_METADATA_SERVICE_ENDPOINT" if where == "metadata" else "CONTAINER_CREDENTIALS_FULL_URI"
        monkeypatch.setenv(f"AWS_{name}", host.url)
        xs = CrossAccountSession({"v": ROLE}, region_name="us-east-1")
        assert xs.get_frozen_credentials("v").account_id == "222222222222"
        assert [action for action, _ in host.actions if action] == ["AssumeRole"]
    assert time.monotonic() - began < 10


def test_a_machine_without_credentials_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the default policy."""
    began = time.monotonic()
    with one_host(lambda _request: (404, "")) as imds:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url)
        xs = CrossAccountSession({"v": ROLE}, region_name="us-east-1")
        with pytest.raises(SourceCredentialsError) as caught:
            xs.get_frozen_credentials("v")
        assert len(imds.seen) == 2
    assert (caught.value.hop, caught.value.retryable) == (0, False)
    assert time.monotonic() - began < 3


def test_botocores_own_way_to_the_metadata_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that a caller passed is watched only while its credentials are looked for."""
    with one_host(machine) as imds:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url)
        source = SourceSession()
        assert source.frozen().access_key == "ASIAMACHINE"
    providers = source.boto3_session._session.get_component("credential_provider").providers
    (fetcher,) = (one._role_fetcher for one in providers if hasattr(one, "_role_fetcher"))
    assert type(fetcher._session) is URLLib3Session


# Where there may be no such service at all


NOBODY_THERE = (
    ConnectTimeoutError(endpoint_url=botocore.utils.METADATA_BASE_URL),
    EndpointConnectionError(endpoint_url=botocore.utils.METADATA_BASE_URL),
)


@pytest.mark.parametrize("error", NOBODY_THERE)
@pytest.mark.parametrize("name", ["class/dmi/id/sys_vendor", "hypervisor/uuid", None])
def test_a_machine_elsewhere_than_in_ec2_has_no_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, error: Exception
) -> None:
    """A laptop, whose user should hear at once; its firmware says what a machine is."""
    monkeypatch.setattr(_instance_metadata, "_SYSTEM", tmp_path)
    if name is not None:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("Amazon EC2\n" if "vendor" in name else "ec2e1916-9099-7caf\n")
    metadata = InstanceMetadata(expected=False)
    metadata.is_at(botocore.utils.METADATA_BASE_URL)
    metadata.failed(error)
    assert is_ec2() is (name is not None)
    assert (metadata.problem is not None) is is_ec2()


def test_what_accepts_connections_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the firmware says."""
    monkeypatch.setattr(_instance_metadata, "_SYSTEM", tmp_path)
    metadata = InstanceMetadata(expected=False)
    metadata.is_at(botocore.utils.METADATA_BASE_URL)
    metadata.failed(ReadTimeoutError(endpoint_url=botocore.utils.METADATA_BASE_URL))
    assert metadata.problem == "ReadTimeoutError"
