from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from keyring.backends import fail


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a keyring, whatever this one has; that its key lies in a file was said."""
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "this machine has no keyring")
        yield
