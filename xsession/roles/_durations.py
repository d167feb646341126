"""How long sessions of roles may live.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

from datetime import timedelta

MIN_DURATION_SECONDS = 900
MAX_DURATION_SECONDS = 43_200
MAX_CHAINED_DURATION_SECONDS = 3_600


def whole_seconds(value: object, shortest: int, longest: int) -> int | None:
    """The seconds that a number or a timedelta stands for; None where they are not whole or out of the range."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not shortest <= seconds <= longest:
        return None
    return int(seconds) if seconds == seconds // 1 else None
