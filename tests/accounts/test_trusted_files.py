from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from xsession import Accounts, ConfigError
from xsession.accounts import TrustedFiles
from xsession.accounts._discovery import Discovery

POSIX = pytest.mark.skipif(os.name == "nt", reason="owners and modes are POSIX's")
ARN = "arn:aws:iam::222222222222:role/R"
PLAIN = f'[accounts.a]\nrole_arn = "{ARN}"\n'
NAMING = f'{PLAIN}source = "admin"\n'


class Project:
    """A folder with an xsession.toml, worked in by a user who has a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.home = folder / "home"
        self.file = self.folder / "xsession.toml"
        self.trusted = TrustedFiles(self.home / "xsession" / "trusted")

    def accounts(self) -> Accounts:
        """What the user finds there."""
        name = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
        environ = {name: str(self.home), "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        return Discovery.of(None, Accounts(), combine=None, folder=self.folder).read(environ, 0.0)

    def record(self) -> Path:
        """Where the trust in the only file is kept."""
        (path,) = (self.home / "xsession" / "trusted").iterdir()
        return path

    def refused(self) -> str:
        """Why the file is refused."""
        with pytest.raises(ConfigError) as caught:
            self.accounts()
        return str(caught.value)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """With a file that nobody has trusted yet."""
    made = Project(tmp_path)
    made.file.write_text(NAMING)
    return made


def test_a_file_that_names_nothing_of_the_users_needs_no_trust(project: Project) -> None:
    """It adds accounts; and nothing is noted down when it is trusted all the same."""
    project.file.write_text(PLAIN)
    assert list(project.accounts()) == ["a"]
    (file,) = project.trusted.trust(project.file)
    assert (file.path, dict(file.values)) == (str(project.file), {})
    assert list(project.trusted) == []
    assert not project.home.exists()


@pytest.mark.parametrize(
    "text",
    [
        NAMING,
        f'{PLAIN}mfa_serial = "GAHT12345678"\n',
        f'{PLAIN}web_identity_token_file = "token"\n',
        f'[accounts.a]\nchain = [{{ role_arn = "{ARN}", mfa_serial = "GAHT12345678" }}]\n',
        f'[hubs.h]\nrole_arn = "{ARN}"\nsource = "admin"\n{PLAIN}via = "h"\n',
        f'[defaults]\nmfa_serial = "GAHT12345678"\n{PLAIN}',
        f'[[accounts]]\nname = "a"\nrole_arn = "{ARN}"\nsource = "admin"\n',
    ],
)
def test_a_file_that_names_what_is_the_users_is_for_the_user_to_trust(project: Project, text: str) -> None:
    """Wherever it does; afterwards it is read."""
    project.file.write_text(text)
    refused = project.refused()
    assert "is only for a file that you trust, and this one is not trusted; look at it, then run" in refused
    project.trusted.trust(project.file)
    assert list(project.accounts()) == ["a"]


def test_the_error_says_where_and_what_to_do(project: Project) -> None:
    """Line and key, the others that need trust, the command, and what works where nobody is."""
    project.file.write_text(f'{NAMING}mfa_serial = "GAHT12345678"\n')
    assert project.refused() == (
        f"{project.file}:3: accounts.a.source: source is only for a file that you trust, and this one is not trusted "
        f"(as it would be for accounts.a.mfa_serial); look at it, then run: xsession trust {project.file}; "
        "in CI, name it in XSESSION_CONFIG or pass from_config(path)"
    )


def test_a_changed_file_asks_again_and_says_what_changed(project: Project) -> None:
    """By the names of the keys: no value is kept."""
    project.file.write_text(f'{NAMING}external_id = "first-word"\nregion_name = "eu-west-1"\n')
    project.trusted.trust(project.file)
    project.file.write_text(f'{NAMING}external_id = "other-word"\nmfa_serial = "GAHT12345678"\n[accounts."b c".tags]\n')
    refused = project.refused()
    assert (
        "this one has changed since it was trusted: accounts.'b c'.tags is new, accounts.a.external_id has another "
        "value, accounts.a.mfa_serial is new, accounts.a.region_name is gone"
    ) in refused
    assert "word" not in refused + project.record().read_text()
    project.file.write_text(f'{NAMING}external_id = "first-word"\nregion_name = "eu-west-1"\n# x\n')
    assert "has changed since it was trusted: only comments or the layout" in project.refused()
    project.trusted.trust(project.file)
    assert list(project.accounts()) == ["a"]


def test_many_changes_are_counted(project: Project) -> None:
    """A message is for reading."""
    project.trusted.trust(project.file)
    more = "".join(f'[accounts.b{number}]\nrole_arn = "{ARN}"\n' for number in range(8))
    project.file.write_text(NAMING + more)
    assert "accounts.b4.role_arn is new and 3 more;" in project.refused()


def test_trust_goes_by_path_too(project: Project) -> None:
    """A copy elsewhere is another file; a link leads to the same one."""
    project.trusted.trust(project.file)
    other = project.folder / "other"
    other.mkdir()
    project.folder = other
    (other / "xsession.toml").write_text(NAMING)
    assert "is not trusted" in project.refused()
    (other / "xsession.toml").unlink()
    (other / "xsession.toml").symlink_to(project.file)
    assert list(project.accounts()) == ["a"]


def test_of_a_pyproject_only_our_table_counts(project: Project) -> None:
    """What it says about other programs changes day by day."""
    project.file.unlink()
    project.file = project.folder / "pyproject.toml"
    text = NAMING.replace("[", "[tool.xsession.")
    project.file.write_text(f'[project]\nversion = "1"\n{text}')
    assert ":5: tool.xsession.accounts.a.source: source is only" in project.refused()
    project.trusted.trust(project.file)
    project.file.write_text(f'[project]\nversion = "2"\n{text}')
    assert list(project.accounts()) == ["a"]
    project.file.write_text(text.replace("admin", "other"))
    assert "has changed since it was trusted: accounts.a.source has another value" in project.refused()


def test_a_trusted_file_still_includes_nothing_and_runs_nothing(project: Project) -> None:
    """Only the user's own files do; and a file that is wrong is not trusted."""
    for text in (f'include = "x.toml"\n{NAMING}', f'[defaults]\nmfa_command = "x"\n{NAMING}'):
        project.file.write_text(text)
        with pytest.raises(ConfigError, match="is not for a file that happens to lie in a folder"):
            project.trusted.trust(project.file)
    assert list(project.trusted) == []


def test_a_trusted_file_takes_no_name_of_the_users(project: Project) -> None:
    """Trust is for what it names."""
    project.trusted.trust(project.file)
    (project.home / "xsession" / "xsession.toml").write_text(PLAIN)
    assert "the user's own file has this name" in project.refused()


def test_trust_is_taken_back(project: Project) -> None:
    """Also of a file that is gone; all are listed."""
    project.trusted.trust(project.file)
    assert list(project.trusted) == [str(project.file)]
    assert project.trusted.remove(project.file)
    assert not project.trusted.remove(project.file)
    assert "is not trusted" in project.refused()
    project.trusted.trust(project.file)
    project.file.unlink()
    assert list(project.trusted) == [str(project.file)]
    assert project.trusted.remove(project.file)
    assert list(project.trusted) == []


@POSIX
def test_nobody_else_can_write_or_read_it(project: Project) -> None:
    """Neither folder nor file, whatever the umask; a folder that was open is closed."""
    before = os.umask(0)
    try:
        project.trusted.trust(project.file)
        folder = project.record().parent
        assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(project.record().stat().st_mode)) == (0o700, 0o600)
        folder.chmod(0o777)
        assert "is not trusted" in project.refused()
        assert list(project.trusted) == []
        project.trusted.trust(project.file)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert list(project.accounts()) == ["a"]


@POSIX
def test_modes_say_nothing_on_windows(project: Project) -> None:
    """There, the folder is the user's by its place."""
    trusted = TrustedFiles(project.home / "xsession" / "trusted", "nt")
    trusted.trust(project.file)
    project.record().chmod(0o666)
    project.record().parent.chmod(0o777)
    assert list(trusted) == [str(project.file)]


@POSIX
def test_a_record_that_others_can_write_is_none(project: Project) -> None:
    """Nor is a link to one."""
    project.trusted.trust(project.file)
    record = project.record()
    record.chmod(0o622)
    assert "is not trusted" in project.refused()
    record.chmod(0o600)
    elsewhere = record.rename(project.home / "elsewhere")
    record.symlink_to(elsewhere)
    assert "is not trusted" in project.refused()


@POSIX
def test_nothing_is_written_through_a_link(project: Project, tmp_path: Path) -> None:
    """A link in the file's place is replaced; one in the folder's place is refused."""
    project.trusted.trust(project.file)
    record, victim = project.record(), tmp_path / "victim"
    victim.write_text("as it was")
    record.unlink()
    record.symlink_to(victim)
    project.trusted.trust(project.file)
    assert victim.read_text() == "as it was"
    assert not record.is_symlink()
    folder = record.parent
    record.unlink()
    folder.rmdir()
    (tmp_path / "outside").mkdir()
    folder.symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="trusted is no folder of this user; remove it"):
        project.trusted.trust(project.file)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 1}', "[" * 100_000, '{"path": "x", "sha256": 5, "keys": 3}'])
def test_a_record_that_is_broken_is_none(project: Project, text: str) -> None:
    """The user is asked again."""
    project.trusted.trust(project.file)
    project.record().write_text(text)
    assert "is not trusted" in project.refused()
    assert list(project.trusted) == []


def test_a_record_of_another_path_is_none(project: Project) -> None:
    """Whatever its name."""
    project.trusted.trust(project.file)
    record = json.loads(project.record().read_text())
    project.record().write_text(json.dumps({**record, "path": "/elsewhere"}))
    assert "is not trusted" in project.refused()


def test_what_stands_in_the_way_is_said(project: Project) -> None:
    """The folder can't be made, or a record is a folder; nothing half written stays."""
    project.trusted.trust(project.file)
    record = project.record()
    record.unlink()
    record.mkdir()
    with pytest.raises(ConfigError, match=r"trusted can't be written to: "):
        project.trusted.trust(project.file)
    with pytest.raises(ConfigError, match=r"trusted can't be written to: "):
        project.trusted.remove(project.file)
    assert project.record() == record
    with pytest.raises(ConfigError, match=r"toml.trusted can't be written to: "):
        TrustedFiles(project.file / "trusted").trust(project.file)


def test_a_file_in_the_folders_place_is_no_folder(project: Project) -> None:
    """Nothing is trusted by it."""
    (project.home / "xsession").mkdir(parents=True)
    (project.home / "xsession" / "trusted").touch()
    assert "is not trusted" in project.refused()
    assert list(project.trusted) == []
    with pytest.raises(ConfigError, match="trusted is no folder of this user; remove it"):
        project.trusted.trust(project.file)


def test_without_a_path_what_is_found_is_trusted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the current folder on, by this user; both of the files that may be there."""
    (project.folder / "pyproject.toml").write_text(PLAIN.replace("[", "[tool.xsession."))
    monkeypatch.chdir(project.folder)
    trusted = TrustedFiles.of_user()
    assert [(Path(file.path).name, dict(file.values)) for file in trusted.trust()] == [
        ("xsession.toml", {"accounts.a.source": "admin"}),
        ("pyproject.toml", {}),
    ]
    assert list(TrustedFiles.of_user()) == [str(project.file)]
    project.file.unlink()
    (project.folder / "pyproject.toml").unlink()
    with pytest.raises(ConfigError, match="there is no file to trust: none is found from this folder on; pass the"):
        trusted.trust()


def test_without_a_home_nothing_is_trusted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error still says what works there."""
    for name in ("HOME", "USERPROFILE", "APPDATA", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="there is no folder to keep trust in: the user has no home; set HOME"):
        TrustedFiles.of_user()
    environ = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with pytest.raises(ConfigError, match="is not trusted"):
        Discovery.of(None, Accounts(), combine=None, folder=project.folder).read(environ, 0.0)
