"""The process around it; its accounts, of `_local_account`, are those of every test here."""

from __future__ import annotations

import os

import boto3
import pytest

from tests.support.worlds import BATMAN, World, who
from xsession import ConfigError
from xsession.testing import LocalAWS


def test_it_leaves_the_environment_alone_unless_asked(world: World) -> None:
    """`applied` hides all other AWS settings within the block."""
    before = dict(os.environ)
    with world.aws.applied(world.key):
        assert os.environ["AWS_ENDPOINT_URL"] == world.aws.endpoint_url
        assert who(boto3.Session().client("sts")) == BATMAN
    assert dict(os.environ) == before


def test_it_must_be_entered() -> None:
    """Or it says so."""
    with pytest.raises(ConfigError, match="context manager"):
        LocalAWS().session()


def test_there_is_one_at_a_time(world: World) -> None:
    """moto has one storage: a second one would empty the first one's."""
    with pytest.raises(ConfigError, match="another"):
        LocalAWS().__enter__()
    assert who(world.source.client("sts")) == BATMAN


def test_an_endpoint_of_the_environment_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would win, and the test would talk to some other AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL_S3"):
        world.aws.session(world.key)
