from __future__ import annotations

import pytest
from keyring.backends import fail


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a keyring, whatever this one has."""
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
