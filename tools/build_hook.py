"""Has the wheel get its stubs, which are not in the checkout: there, checkers judge the code itself."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # type: ignore[import-not-found]  # the builder's


class StubsHook(BuildHookInterface):  # type: ignore[misc]  # as above
    """Writes them when a wheel is built, but for one that leads to the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds them to what the wheel has."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from tools.stubs import PACKAGE, write  # noqa: PLC0415 # the builder's own path does not lead there

        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        write(folder, Path(self.root))
        build_data["force_include"][str(folder / PACKAGE)] = PACKAGE

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Removes the folder that they were written to."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
