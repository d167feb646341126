"""Whether a person sits at a notebook."""

from __future__ import annotations

import sys
from typing import Any


def notebook_kernel() -> Any:
    """The Jupyter kernel that we run in; None: in none. Imports nothing: a kernel has IPython already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)
