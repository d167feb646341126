from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from xsession._base import kept_by_us, write_private_file


def test_a_file_is_written_whole_and_is_private(tmp_path: Path) -> None:
    """Its mode is 0600 whatever the mask, and its time the one that was asked for."""
    before = os.umask(0)
    try:
        written = write_private_file(tmp_path / "a", b"data", ends=1_000.0, sync=True)
    finally:
        os.umask(before)
    found = (tmp_path / "a").stat()
    assert ((tmp_path / "a").read_bytes(), found.st_mode & 0o777, found.st_mtime) == (b"data", 0o600, 1_000.0)
    assert (written.st_ino, written.st_mtime_ns) == (found.st_ino, found.st_mtime_ns)


def test_a_link_in_its_place_is_replaced(tmp_path: Path) -> None:
    """What it leads to stays."""
    (tmp_path / "target").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    write_private_file(tmp_path / "a", b"data")
    assert ((tmp_path / "target").read_text(), (tmp_path / "a").is_symlink()) == ("mine", False)


@pytest.mark.parametrize("os_name", ["posix", "nt"])
def test_a_file_that_is_there_may_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, os_name: str) -> None:
    """Then nothing of the new one is left."""
    write_private_file(tmp_path / "a", b"first", replace=False)
    if os_name == "nt":
        monkeypatch.setattr("xsession._base._private_file._CAN_LINK", False)

        def refuse(_self: Path, target: Path) -> None:
            raise FileExistsError(target)

        monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(FileExistsError):
        write_private_file(tmp_path / "a", b"second", replace=False)
    assert [item.name for item in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"first"


def test_others_rights_are_seen(tmp_path: Path) -> None:
    """Those to write, unless others are asked for; and another kind is not what was meant."""
    file = tmp_path / "a"
    file.touch(0o644)
    assert kept_by_us(file.stat(), stat.S_ISREG)
    assert not kept_by_us(file.stat(), stat.S_ISREG, others=0o077)
    assert not kept_by_us(file.stat(), stat.S_ISDIR)
    file.chmod(0o620)
    assert not kept_by_us(file.stat(), stat.S_ISREG)
