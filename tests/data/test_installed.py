"""What pip chose for the extra `data`: its libraries pin botocore, each in its own way."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("aiobotocore")


def test_all_that_is_installed_fits_together() -> None:
    """boto3, botocore, aiobotocore and the libraries that need them."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
