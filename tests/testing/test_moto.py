from __future__ import annotations

import sys

import pytest

from tests.support.worlds import BUCKET, VEGETA
from xsession import ConfigError
from xsession.testing import LocalAWS


def test_without_moto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is not installed."""
    monkeypatch.setitem(sys.modules, "moto.server", None)
    with pytest.raises(ConfigError, match=r"xsession\[testing\]"):
        LocalAWS()


def test_each_one_is_empty() -> None:
    """What another had is gone."""
    for _ in range(2):
        with LocalAWS() as aws:
            aws.account(VEGETA).bucket(BUCKET)
            assert [bucket["Name"] for bucket in aws.account(VEGETA).root.client("s3").list_buckets()["Buckets"]] == [
                BUCKET
            ]
