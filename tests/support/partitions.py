"""Partitions that the installed botocore may lack."""

from __future__ import annotations

import boto3
import pytest


def skip_unless_known(partition: str) -> None:
    """Skips a test of a partition that is younger than this botocore."""
    if partition not in boto3.Session().get_available_partitions():
        pytest.skip(f"this botocore does not know {partition}")
