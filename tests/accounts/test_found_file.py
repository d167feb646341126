from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from xsession.accounts import _found_file
from xsession.accounts._found_file import found_files, problem_of, read_found
from xsession.errors import ConfigError

POSIX = pytest.mark.skipif(os.name == "nt", reason="owners and modes are POSIX's")
ROOT_ONLY = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files to others"
)
TEXT = '[accounts.a]\nrole_arn = "arn:aws:iam::222222222222:role/R"\n'


def status(mode: int, uid: int = 1000) -> os.stat_result:
    """The status of something with this mode and owner."""
    return os.stat_result((mode, 0, 0, 1, uid, 0, 0, 0, 0, 0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that only its owner writes to."""
    folder = tmp_path / "project"
    folder.mkdir(mode=0o755)
    path = folder / "xsession.toml"
    path.write_text(TEXT)
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    ("file", "folder", "problem"),
    [
        (status(stat.S_IFREG | 0o644), status(stat.S_IFDIR | 0o755), None),
        (status(stat.S_IFREG | 0o644, 0), status(stat.S_IFDIR | 0o755, 0), None),
        (status(stat.S_IFREG | 0o664), status(stat.S_IFDIR | 0o775), None),
        (status(stat.S_IFREG | 0o644), status(stat.S_IFDIR | 0o1777, 0), None),
        (status(stat.S_IFLNK | 0o777), status(stat.S_IFDIR | 0o755), None),
        (status(stat.S_IFREG | 0o644, 1001), status(stat.S_IFDIR | 0o755), "belongs to another user, number 1001"),
        (status(stat.S_IFLNK | 0o777, 1001), status(stat.S_IFDIR | 0o1777), "belongs to another user, number 1001"),
        (status(stat.S_IFREG | 0o646), status(stat.S_IFDIR | 0o755), "everybody can write it"),
        (status(stat.S_IFREG | 0o644), status(stat.S_IFDIR | 0o777), "everybody can replace it"),
    ],
)
def test_who_may_write_a_file_that_counts(file: os.stat_result, folder: os.stat_result, problem: str | None) -> None:
    """This user, root, and the group that the user shares it with."""
    found = problem_of(file, folder, 1000)
    assert found is None if problem is None else problem in str(found)


@POSIX
def test_a_file_that_everybody_can_write_is_not_used(path: Path) -> None:
    """The error says how to use it all the same."""
    assert read_found(path).problem is None
    path.chmod(0o666)
    with pytest.raises(ConfigError, match=r"toml is not used: everybody can write it; .* XSESSION_CONFIG or pass from"):
        read_found(path).document()
    assert read_found(path, "nt").document().content.keys() == {"accounts"}


@POSIX
def test_a_file_in_a_folder_that_everybody_can_write_to_is_not_used(path: Path) -> None:
    """But with the sticky bit, nobody else can replace it."""
    path.parent.chmod(0o777)
    with pytest.raises(ConfigError, match="everybody can replace it"):
        read_found(path).document()
    path.parent.chmod(0o1777)
    assert read_found(path).problem is None


@ROOT_ONLY
def test_another_users_file_is_not_used(path: Path) -> None:
    """Nor is another user's link to one of this user's own."""
    link = path.with_name("link.toml")
    link.symlink_to(path)
    assert read_found(link).problem is None
    os.chown(link, 1, 1, follow_symlinks=False)
    assert "belongs to another user, number 1" in str(read_found(link).problem)
    os.chown(path, 1, 1)
    assert "belongs to another user, number 1" in str(read_found(path).problem)


def test_a_link_is_followed_to_the_file_that_is_checked(tmp_path: Path, path: Path) -> None:
    """Both the folder of the link and that of the file count."""
    link = tmp_path / "other" / "xsession.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    assert read_found(link).real == path
    for folder in (link.parent, path.parent):
        folder.chmod(0o777)
        assert "everybody can replace it" in str(read_found(link).problem)
        folder.chmod(0o755)


@POSIX
def test_what_is_checked_is_what_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another one takes the place of in between is neither read nor asked for its owner."""
    resolve = Path.resolve

    def replaced(self: Path, strict: bool = False) -> Path:
        real = resolve(self, strict)
        if self == path and not path.is_symlink():
            path.unlink()
            path.symlink_to("/etc/passwd")
        return real

    monkeypatch.setattr(Path, "resolve", replaced)
    with pytest.raises(ConfigError, match="can't be read: Too many levels of symbolic links"):
        read_found(path)


@POSIX
def test_what_is_no_regular_file_is_no_found_file(path: Path) -> None:
    """And nobody waits for it."""
    for name in ("xsession.toml", "pyproject.toml"):
        path.unlink(missing_ok=True)
        os.mkfifo(path.with_name(name))
    assert list(found_files(path.parent, None)) == []
    with pytest.raises(ConfigError, match="it is a FIFO, and no regular file"):
        read_found(path.with_name("pyproject.toml"))


def test_a_pyproject_that_does_not_name_us_is_not_parsed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all of them; large ones take longer than all else that a program which starts often does."""
    path.unlink()
    monkeypatch.setattr(_found_file, "parse_toml", None)
    path.with_name("pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert list(found_files(path.parent, None)) == []


def test_a_pyproject_that_can_not_be_understood_is_somebody_elses(path: Path) -> None:
    """Whatever is wrong with it: others say so."""
    path.unlink()
    for data in (b"[tool.xsession", b"a = " + b"[" * 100_000, b"#" * 3_000_000, b"\xff\xfe"):
        path.with_name("pyproject.toml").write_bytes(data + b"#xsession")
        assert list(found_files(path.parent, None)) == []
    path.with_name("pyproject.toml").write_text("[tool.xsession]")
    (found,) = found_files(path.parent, None)
    assert found.document().content == {}
