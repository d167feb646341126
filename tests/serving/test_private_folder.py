from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from xsession.serving._private_folder import PrivateFolder


@pytest.mark.skipif(os.name == "nt", reason="Windows has other ways to say who may read a file")
def test_only_the_user_may_read_it() -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        folder = PrivateFolder()
        file = Path(folder.write("token", "secret"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    folder.remove()


def test_a_file_has_what_was_written_and_nothing_else() -> None:
    """No line break at its end: some readers trim it, and some don't."""
    folder = PrivateFolder()
    assert Path(folder.write("token", "sec\nret")).read_bytes() == b"sec\nret"
    folder.remove()


def test_a_file_is_written_once() -> None:
    """A child may be reading it."""
    folder = PrivateFolder()
    path = folder.write("token", "secret")
    before = Path(path).stat()
    assert folder.write("token", "secret") == path
    assert Path(path).stat() == before
    folder.remove()


def test_it_is_gone_with_all_files() -> None:
    """Twice is as good as once."""
    folder = PrivateFolder()
    path = Path(folder.write("token", "secret"))
    folder.remove()
    folder.remove()
    assert not path.parent.exists()
