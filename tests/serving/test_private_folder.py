from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from xsession.errors import ConfigError
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


def test_a_place_for_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In shared memory, where no folder for temporary files can be written to."""
    make = tempfile.mkdtemp

    def mkdtemp(*, prefix: str, dir: str | None) -> str:  # noqa: A002 # as it is called
        if dir is None:
            raise FileNotFoundError
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr("xsession.serving._private_folder._SHARED_MEMORY", str(tmp_path))
    folder = PrivateFolder()
    assert Path(folder.write("token", "secret")).is_relative_to(tmp_path)
    folder.remove()
    monkeypatch.setattr("xsession.serving._private_folder._SHARED_MEMORY", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="no folder for temporary files"):
        PrivateFolder()
