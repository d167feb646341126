from __future__ import annotations

import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession._base import _digest as digest


@given(st.binary())
def test_it_digests_as_hashlib_does(data: bytes) -> None:
    """What one Python has written to a disk, another one finds."""
    assert digest.sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()


def test_a_python_without_modules_of_its_own_has_openssls(monkeypatch: pytest.MonkeyPatch) -> None:
    """As builds for FIPS may be."""
    for name in ("_sha2", "_sha256"):
        monkeypatch.setitem(sys.modules, name, None)
    assert digest._sha256()(b"vegeta").hexdigest() == hashlib.sha256(b"vegeta").hexdigest()


def test_equal_values_have_one_digest() -> None:
    """However their keys are ordered."""
    assert digest.digest_of({"a": 1, "b": [None]}) == digest.digest_of({"b": [None], "a": 1})
    assert digest.digest_of(["a"]) == hashlib.sha256(b'["a"]').hexdigest()
