from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.support.worlds import World
from xsession import AccountSession
from xsession.integrations import _installed


class Fakes:
    """Stand-ins for libraries: what they are called with is in `calls`."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.calls: list[tuple[str, dict[str, Any]]] = []
        versions = {package: lowest for needed in _installed.NEEDED.values() for package, lowest in needed.items()}
        self.versions: dict[str, str | None] = dict(versions)
        patch.setattr(_installed, "installed", self.versions.get)

    def module(self, name: str, **members: Any) -> None:
        """A module with these members."""
        made = ModuleType(name)
        for member, value in members.items():
            setattr(made, member, value)
        self._patch.setitem(sys.modules, name, made)

    def recorder(self, name: str) -> Any:
        """A function that records its arguments and returns a string that shows them."""

        def call(*args: Any, **kwargs: Any) -> str:
            self.calls.append((name, kwargs))
            return f"{name}({', '.join(map(str, args))})"

        return call


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """All libraries, as far as accessors ask whether they are installed."""
    made = Fakes(monkeypatch)
    monkeypatch.setattr(AccountSession, "aio", lambda session: f"aio of {session.name}", raising=False)
    made.module("s3fs", S3FileSystem=made.recorder("S3FileSystem"))
    return made


@pytest.fixture
def vegeta(world: World) -> AccountSession:
    """Vegeta's account."""
    return world.session()["vegeta"]
