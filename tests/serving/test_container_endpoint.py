from __future__ import annotations

import pickle

import pytest

from xsession.serving import ContainerEndpoint

ENDPOINT = ContainerEndpoint(uri="http://127.0.0.1:80/1/vegeta", token="very-secret", token_file="/private/token-1")


def test_its_token_is_not_shown() -> None:
    """Neither by repr nor in a string."""
    assert repr(ENDPOINT) == "ContainerEndpoint(uri='http://127.0.0.1:80/1/vegeta', token_file='/private/token-1')"
    assert "very-secret" not in f"{ENDPOINT}"


def test_it_is_not_pickled() -> None:
    """A pickle would carry the token."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(ENDPOINT)
