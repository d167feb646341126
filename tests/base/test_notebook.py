from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from xsession._base import notebook_kernel


@pytest.mark.parametrize(
    ("ipython", "kernel"),
    [
        (None, None),
        (SimpleNamespace(get_ipython=lambda: None), None),
        (SimpleNamespace(get_ipython=SimpleNamespace), None),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel="kernel")), "kernel"),
    ],
    ids=["no IPython", "IPython that does not run", "a terminal", "a notebook"],
)
def test_a_kernel_is_a_notebook(ipython: Any, kernel: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPython in a terminal has none, and what does not run yet is not imported."""
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert notebook_kernel() == kernel
