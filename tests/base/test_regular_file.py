from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from xsession._base import read_regular_file


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    """One byte more says that there is more; the status is that of the file that was read."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    data, status = read_regular_file(path, 100_000)
    assert (data, status.st_ino, status.st_size) == (b"x" * 100_000, path.stat().st_ino, 100_000)
    assert read_regular_file(path, 10)[0] == b"x" * 11


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """A FIFO that nobody writes to, a device without an end, a socket, a folder."""
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="it is a FIFO, and no regular file"):
        read_regular_file(tmp_path / "fifo", 10)
    with pytest.raises(OSError, match="it is a device, and no regular file"):
        read_regular_file("/dev/zero", 10)
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        read_regular_file(tmp_path, 10)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device or address"):
            read_regular_file(tmp_path / "socket", 10)


def test_a_link_is_followed_unless_it_must_not(tmp_path: Path) -> None:
    """Links in the folders before it are followed all the same."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").symlink_to(".")
    assert read_regular_file(tmp_path / "link", 10)[0] == b"x"
    with pytest.raises(OSError, match="symbolic links"):
        read_regular_file(tmp_path / "link", 10, follow_symlinks=False)
    assert read_regular_file(tmp_path / "folder" / "file", 10, follow_symlinks=False)[0] == b"x"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc")
def test_nothing_stays_open(tmp_path: Path) -> None:
    """Neither after a file nor after a refusal."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path):
        try:
            read_regular_file(path, 10)
        except IsADirectoryError:
            continue
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
