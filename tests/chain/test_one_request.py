from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import xsession
from tests.support.programs import run_python
from tests.support.worlds import World
from tools.project import LAYERS, ROOT
from xsession._base import SYSTEM_CLOCK
from xsession._chain._account_credentials import CellCredentials
from xsession._sts._calls import Sts
from xsession.refresh._flight import Flight
from xsession.refresh._workers import Workers

PACKAGE = str(Path(xsession.__file__).parent)
PAGE = ROOT / "docs" / "explanation" / "one-request.md"
MAX_STEPS = 9
MAX_FILES = 20


def steps(frame: FrameType | None, first: object) -> list[str]:
    """The functions of ours on a stack, from `first` on; empty where it is not there."""
    found: list[str] = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            found.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}")
        if frame.f_code is getattr(first, "__code__", None):
            return found[::-1]
        frame = frame.f_back
    return []


def waiting_steps(thread: int) -> list[str]:
    """The caller's steps once it waits: until then it is on its way there."""
    waits = getattr(SYSTEM_CLOCK.wait, "__code__", None)
    while True:
        frame = sys._current_frames()[thread]
        inner: FrameType | None = frame
        while inner is not None:
            if inner.f_code is waits:
                return steps(inner, CellCredentials.get_frozen_credentials)
            inner = inner.f_back


@pytest.mark.parametrize("ended", [False, True], ids=["empty", "thrown away"])
def test_nine_steps_lead_from_a_signing_to_sts(world: World, monkeypatch: pytest.MonkeyPatch, ended: bool) -> None:
    """One hop, whose cell is empty: a reader who follows a request reads no more than that.

    A step is a call of a Python function that is defined in xsession/. They are those of the stack at the moment when
    `Sts.assume_role` is entered: the caller's, from `get_frozen_credentials` to where it waits, and the worker's, from
    the flight to `Sts.assume_role` itself. The way on which the caller hands the flight over, which is over by then, is
    not longer than the one on which it waits.
    """
    xs = world.session()
    credentials = xs["vegeta"].get_credentials()
    if ended:
        credentials.get_frozen_credentials()
        xs.invalidate()
    caller, seen = threading.get_ident(), dict[str, list[str]]()
    assume_role, submit = Sts.assume_role, Workers.submit

    def asked(self: Sts, *args: Any, **kwargs: Any) -> Any:
        # One of ours stands for the one that is entered here.
        seen["worker"] = [*steps(sys._getframe(1), Flight.run), "_calls.Sts.assume_role"]
        seen["caller"] = waiting_steps(caller)
        return assume_role(self, *args, **kwargs)

    def handed_over(self: Workers, *args: Any, **kwargs: Any) -> None:
        seen["handing over"] = [
            *steps(sys._getframe(1), CellCredentials.get_frozen_credentials),
            "_workers.Workers.submit",
        ]
        submit(self, *args, **kwargs)

    monkeypatch.setattr(Sts, "assume_role", asked)
    monkeypatch.setattr(Workers, "submit", handed_over)
    assert credentials.get_frozen_credentials().token
    assert set(seen) == {"caller", "worker", "handing over"}
    assert all(seen.values())
    walk = seen["caller"] + seen["worker"]
    assert len(walk) <= MAX_STEPS, walk
    # The page for contributors tells the same.
    rows = re.findall(r"^\| (?:caller|worker) \| `([^`]+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows == [step.partition(".")[2].replace("_wait", "SystemClock.wait") for step in walk]
    # One of them is a generator's, which a caller in an event loop walks through too.
    assert len(seen["handing over"]) <= len(seen["caller"]) + 2, seen


def test_twenty_files_lead_to_a_client() -> None:
    """The first client of one more account: a reader who follows `get_client` opens no more of our files.

    A file counts if a function in it is called between `get_client("s3", "vegeta")` and its return, for an account that
    nothing was asked about before, in a session that has made such a client for another account: importing and
    reading what is shared is over. Faces (`__init__`) and the vocabulary of layer 0 (`_base`, `_aws`, `errors`), which
    is part of no story, are counted apart: no face, and five files of layer 0.
    """
    code = """
import re
import sys
import boto3
from xsession import CrossAccountSession

source = boto3.Session("AKIAEXAMPLE", "secret", region_name="eu-west-1")
names = {"vegeta": "2" * 12, "other": "3" * 12}
xs = CrossAccountSession({name: f"arn:aws:iam::{id}:role/R" for name, id in names.items()}, session=source)
xs.get_client("s3", "other")
files = set()

def note(frame, event, _argument):
    before, found, name = frame.f_code.co_filename.replace("\\\\", "/").rpartition("/xsession/")
    if event == "call" and found:
        files.add(name)

sys.setprofile(note)
xs.get_client("s3", "vegeta")
sys.setprofile(None)
print(*sorted(files), sep="\\n")
"""
    files = run_python(code).splitlines()
    vocabulary = [name for name in files if name.partition("/")[0].removesuffix(".py") in LAYERS[0]]
    assert not [name for name in files if name.endswith("__init__.py")]
    assert len(vocabulary) <= 5, vocabulary
    assert 10 < len(files) - len(vocabulary) <= MAX_FILES, files
