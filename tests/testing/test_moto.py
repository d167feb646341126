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


def test_a_broken_installation_is_told_in_the_words_of_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as an extra that is missing."""

    class Broken:
        """Stands for a module that is installed and can't be loaded."""

        def find_spec(self, name: str, *_where: object) -> None:
            if name == "moto.server":
                msg = "libexample.so.6: cannot open shared object file"
                raise ImportError(msg)

    monkeypatch.delitem(sys.modules, "moto.server", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ConfigError, match=r"can't be imported: libexample\.so\.6.*--force-reinstall"):
        LocalAWS()


def test_each_one_is_empty() -> None:
    """What another had is gone."""
    for _ in range(2):
        with LocalAWS() as aws:
            aws.account(VEGETA).bucket(BUCKET)
            assert [bucket["Name"] for bucket in aws.account(VEGETA).root.client("s3").list_buckets()["Buckets"]] == [
                BUCKET
            ]
