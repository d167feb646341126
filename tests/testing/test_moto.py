from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    named = r"\(xsession\.testing\._moto: from moto\.server import .*\)"
    with pytest.raises(ConfigError, match=rf"can't be imported: libexample\.so\.6.* {named}; pip .*--force-reinstall"):
        LocalAWS()


@pytest.mark.parametrize("failure", ["OSError('no libexample.so.6')", "AttributeError('no libexample.so.6')"])
def test_the_module_whose_import_failed_is_named(tmp_path: Path, failure: str) -> None:
    """Whatever it raised, and though the error does not say so: here moto imports a library that is broken."""
    (tmp_path / "flask_cors.py").write_text(f"raise {failure}\n")
    code = "from xsession.testing import LocalAWS\ntry: LocalAWS()\nexcept Exception as error: print(error)"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    words = f"the local AWS can't be imported: no libexample.so.6 (flask_cors: raise {failure}); pip install --force"
    assert done.stdout.startswith(words)


def test_each_one_is_empty() -> None:
    """What another had is gone."""
    for _ in range(2):
        with LocalAWS() as aws:
            aws.account(VEGETA).bucket(BUCKET)
            assert [bucket["Name"] for bucket in aws.account(VEGETA).root.client("s3").list_buckets()["Buckets"]] == [
                BUCKET
            ]
