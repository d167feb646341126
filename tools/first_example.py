"""Runs the first Python example of the README that the installed package carries, against an AWS on this machine.

It stands alone, since it runs where only the wheel is installed: `python -I tools/first_example.py`.
"""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from importlib.metadata import distribution
from pathlib import Path

import xsession
from xsession.testing import LocalAWS, Story

EXPECTED = "goku"  # who is in the object that the example reads


def first_example() -> str:
    """The first Python block of the README, as the wheel's metadata has it."""
    found = re.search(r"```python\n(.*?)```", str(distribution("xsession").read_text("METADATA")), re.DOTALL)
    if found is None:
        sys.exit("the README in the wheel has no example in Python")
    return found[1]


def main() -> None:
    """Run it as it is printed; its output must be what the bucket holds."""
    origin = Path(xsession.__file__).resolve()
    if not origin.is_relative_to(Path(sys.prefix).resolve()):
        sys.exit(f"xsession comes from {origin}, not from the wheel")
    output = io.StringIO()
    with LocalAWS() as aws, aws.applied(Story.told_by(aws).key), redirect_stdout(output):
        exec(compile(first_example(), "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 # our own README
    if EXPECTED not in output.getvalue():
        sys.exit(f"the README's example printed {output.getvalue()!r}")
    print("the README's first example works from the wheel")


if __name__ == "__main__":
    main()
