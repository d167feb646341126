from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in this folder needs the libraries themselves."""
    for item in items:
        if "tests/executors/" in item.path.as_posix():
            item.add_marker(pytest.mark.executors)
            item.add_marker(pytest.mark.filterwarnings("default"))
