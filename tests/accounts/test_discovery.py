from __future__ import annotations

import pickle
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from xsession import Accounts, ConfigError
from xsession.accounts._discovery import Discovery
from xsession.accounts._user_file import user_file

ARN = "arn:aws:iam::{:012}:role/R"


class Machine:
    """A machine with files of every kind, in which the account "shared" leads to another account each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project" / "inner"
        self.project.mkdir(parents=True)
        (folder / ".git").mkdir()
        self.environ = {
            "HOME": str(folder / "home"),
            "USERPROFILE": str(folder / "home"),
            "XDG_CONFIG_HOME": str(folder / "home"),
            "APPDATA": str(folder / "home"),
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        }

    def write(self, name: str, *accounts: str, number: int = 0, table: str = "accounts", more: str = "") -> Path:
        """A file in which these accounts have that number as id."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            more + "".join(f'[{table}.{account}]\nrole_arn = "{ARN.format(number)}"\n' for account in accounts)
        )
        return path

    def profile(self, *names: str, number: int = 0) -> None:
        """Profiles in ~/.aws/config."""
        text = "".join(f"[profile {name}]\nrole_arn = {ARN.format(number)}\nsource_profile = keys\n" for name in names)
        (self.folder / "config").write_text(f"[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n{text}")

    def read(self, path: str | Path | None = None, *, combine: bool | None = None, **code: str) -> dict[str, str]:
        """All accounts and their ids."""
        return {
            name: account.account_id or "" for name, account in self.accounts(path, combine=combine, **code).items()
        }

    def accounts(self, path: str | Path | None = None, *, combine: bool | None = None, **code: str) -> Accounts:
        """All accounts."""
        return Discovery.of(path, Accounts(code), combine=combine, folder=self.project).read(self.environ, 0.0)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """With nothing on it."""
    return Machine(tmp_path)


def name_all(machine: Machine) -> None:
    """Defines accounts in every place; "shared" in all but the user's and the profiles, whose names are protected."""
    machine.write("named.toml", "shared", "named", number=1)
    machine.environ["XSESSION_CONFIG"] = str(machine.write("variable.toml", "shared", "variable", number=2))
    machine.write("project/inner/xsession.toml", "shared", "project", number=3)
    machine.write("project/pyproject.toml", "shared", "pyproject", number=4, table="tool.xsession.accounts")
    machine.write("home/xsession/xsession.toml", "users", number=5)
    machine.profile("users", "profile", number=6)


def ids(**numbers: int) -> dict[str, str]:
    """Names to 12-digit ids."""
    return {name: f"{number:012}" if number else "" for name, number in numbers.items()}


def test_everything_counts_and_the_strongest_wins(machine: Machine) -> None:
    """Code, the path, the variable, the project's files, the user's, the profiles: in this order."""
    name_all(machine)
    everything = machine.read(machine.folder / "named.toml", combine=True, code=ARN.format(9))
    assert everything == ids(code=9, shared=1, named=1, variable=2, project=3, pyproject=4, users=5, keys=0, profile=6)
    assert list(everything)[:3] == ["code", "shared", "named"]
    assert machine.read(shared=ARN.format(9))["shared"] == f"{9:012}"
    weaker = []
    for gone in ("XSESSION_CONFIG", "project/inner/xsession.toml", "project/pyproject.toml"):
        weaker.append(machine.read()["shared"])
        if gone in machine.environ:
            del machine.environ[gone]
        else:
            (machine.folder / gone).unlink()
    machine.profile("shared", number=6)
    assert [*weaker, machine.read()["shared"]] == [f"{number:012}" for number in (2, 3, 4, 6)]


def test_a_path_counts_alone(machine: Machine) -> None:
    """Unless it is asked for with all the others; what is named must be there."""
    name_all(machine)
    assert machine.read(machine.folder / "named.toml") == ids(shared=1, named=1)
    assert machine.read("../../named.toml", code=ARN.format(9)) == ids(code=9, shared=1, named=1)
    with pytest.raises(ConfigError, match="gone\\.toml can't be read"):
        machine.read("gone.toml")
    machine.environ["XSESSION_CONFIG"] = "gone.toml"
    with pytest.raises(ConfigError, match="gone\\.toml can't be read"):
        machine.read()
    with pytest.raises(ConfigError, match="the path of the configuration is empty"):
        machine.read("")


def test_the_first_file_may_count_alone(machine: Machine) -> None:
    """Without a path."""
    name_all(machine)
    assert machine.read(combine=False) == ids(shared=2, variable=2)


def test_each_account_knows_its_origin(machine: Machine) -> None:
    """File and line, profile, or code."""
    name_all(machine)
    accounts = machine.accounts(code=ARN.format(9))
    assert {name: accounts[name].origin for name in ("code", "project", "pyproject", "profile")} == {
        "code": "code",
        "project": f"{machine.project / 'xsession.toml'}:3: accounts.project",
        "pyproject": f"{machine.project.parent / 'pyproject.toml'}:3: tool.xsession.accounts.pyproject",
        "profile": f"{machine.folder / 'config'}:7: profile profile",
    }


@pytest.mark.parametrize(
    ("name", "table"),
    [("project/inner/xsession.toml", "accounts"), ("project/pyproject.toml", "tool.xsession.accounts")],
)
def test_a_projects_file_takes_no_name_of_the_users(machine: Machine, name: str, table: str) -> None:
    """It would have the user work in another account than the intended one."""
    name_all(machine)
    machine.write(name, "users", number=3, table=table)
    named = machine.folder / name
    (machine.folder / "config").unlink()
    with pytest.raises(ConfigError, match=r"the user's own file has this name, at .*xsession\.toml:1: accounts\.users"):
        machine.read()
    assert machine.read(named, combine=True)["users"] == f"{3:012}"


@pytest.mark.parametrize("combine", [True, False])
@pytest.mark.parametrize("name", ["profile", "team-prod", "bare", "broken", "keys"])
def test_a_projects_file_takes_no_name_of_a_profile(machine: Machine, name: str, combine: bool) -> None:
    """Whether that is an account, would be one, or is wrong; and whether or not profiles count in this call."""
    machine.profile("profile", "team/prod", number=6)
    with (machine.folder / "config").open("a") as file:
        file.write(f"[profile bare]\nregion = eu-west-1\n[profile broken]\nrole_arn = {ARN.format(6)}\n")
    machine.write("project/inner/xsession.toml", name, number=3)
    with pytest.raises(ConfigError, match=rf"has this name, at .*config:\d+: profile {name[:4]}") as caught:
        machine.read(combine=combine)
    assert caught.value.account == name
    assert machine.read("xsession.toml", combine=True)[name] == f"{3:012}"


@pytest.mark.parametrize("place", ["code", "named.toml", "home/xsession/xsession.toml", "profile"])
def test_a_projects_file_takes_no_id_of_the_users(machine: Machine, place: str) -> None:
    """An id finds its account as a name does: who passes one must not get another role by it."""
    code: Any = {"users": ARN.format(5)} if place == "code" else {}
    if place == "profile":
        machine.profile("users", number=5)
    elif not code:
        machine.environ["XSESSION_CONFIG"] = str(machine.write(place, "users", number=5))
    machine.write("project/inner/xsession.toml", f"{5:012}", number=5)
    with pytest.raises(ConfigError, match=r"the id of the user's account 'users'.*rename the project's") as caught:
        machine.read(**code)
    assert caught.value.account == f"{5:012}"
    assert "xsession.toml:1: accounts.000000000005" in str(caught.value)


def test_a_projects_file_may_have_ids_as_names(machine: Machine) -> None:
    """Where no account of the user's has that id, or one has that very name, which comes first."""
    machine.profile("users", number=6)
    machine.write("project/inner/xsession.toml", f"{5:012}", number=5)
    assert machine.accounts().find(f"{5:012}").name == f"{5:012}"
    code: Any = {f"{5:012}": ARN.format(5), "users": ARN.format(5)}
    assert machine.accounts(**code).find(f"{5:012}").origin == "code"


def test_the_users_own_names_are_protected_where_one_file_counts_alone(machine: Machine) -> None:
    """Nobody would notice that the user's file was not read."""
    machine.write("home/xsession/xsession.toml", "users", number=5)
    machine.write("project/inner/xsession.toml", "users", number=3)
    with pytest.raises(ConfigError, match="the user's own file has this name"):
        machine.read(combine=False)
    assert machine.read(combine=False, path="xsession.toml") == ids(users=3)


@pytest.mark.parametrize(
    ("git", "home", "finds"),
    [
        ("", "", False),
        ("project", "", True),
        ("project/inner", "", False),
        ("", "project", True),
        ("", "project/inner", False),
        ("", "elsewhere", False),
        (".", "project", True),
        (".", "project/inner", False),
    ],
)
def test_parents_are_searched_up_to_the_repository_or_home(machine: Machine, git: str, home: str, finds: bool) -> None:
    """Outside of both, somebody else may have written what lies above."""
    (machine.folder / ".git").rmdir()
    machine.write("project/pyproject.toml", "a", number=1, table="tool.xsession.accounts")
    if git:
        (machine.folder / git / ".git").write_text("gitdir: ../elsewhere")
    machine.environ["HOME"] = machine.environ["USERPROFILE"] = str(machine.folder / home) if home else ""
    machine.write("home/xsession/xsession.toml", "users", number=5)
    assert ("a" in machine.read()) == finds


def test_a_projects_file_includes_nothing_and_the_users_does(machine: Machine) -> None:
    """Nor does a pyproject.toml; named by path or variable, the same file may."""
    machine.write("more.toml", "more", number=7)
    include = f'include = "{machine.folder / "more.toml"}"\n'
    machine.write("home/xsession/xsession.toml", "users", number=5, more=include)
    assert machine.read() == ids(users=5, more=7)
    machine.write("project/pyproject.toml", number=4, more=f"[tool.xsession]\n{include}")
    with pytest.raises(ConfigError, match="include is not for a file"):
        machine.read()
    (machine.project.parent / "pyproject.toml").unlink()
    path = machine.write("project/inner/xsession.toml", "project", number=3, more=include)
    with pytest.raises(ConfigError, match="include is not for a file"):
        machine.read()
    assert machine.read(path) == ids(project=3, more=7)
    machine.environ["XSESSION_CONFIG"] = "xsession.toml"
    assert machine.read() == ids(project=3, more=7, users=5)


def test_ones_own_file_is_ones_own_wherever_it_is_found(machine: Machine) -> None:
    """In the folder that it is in, it is not a project's."""
    machine.project = machine.folder / "home" / "xsession"
    machine.write("home/more.toml", "more", number=7)
    machine.write("home/xsession/xsession.toml", "users", number=5, more='include = "../more.toml"\n')
    assert machine.read() == ids(users=5, more=7)


def test_only_the_nearest_pyproject_counts_and_only_where_it_speaks_of_us(machine: Machine) -> None:
    """One that is broken is other tools' business."""
    machine.write("pyproject.toml", "a", number=1, table="tool.xsession.accounts")
    assert machine.read() == ids(a=1)
    nearest = machine.project.parent / "pyproject.toml"
    for text in ("[project]\nname = 'x'", "tool = 5", "[tool", "[tool.ruff]"):
        nearest.write_text(text)
        with pytest.raises(ConfigError, match="there are no accounts"):
            machine.read()


def test_no_accounts_at_all_is_an_error_that_says_where_one_could_put_them(machine: Machine) -> None:
    """But an empty file was made on purpose."""
    with pytest.raises(ConfigError, match=r"write .*inner.xsession\.toml, set XSESSION_CONFIG, or pass"):
        machine.read()
    assert machine.read(code=ARN.format(9)) == ids(code=9)
    machine.write("project/inner/xsession.toml")
    assert machine.read() == {}


def test_a_wrong_profile_hides_no_account(machine: Machine) -> None:
    """It raises when it is asked for, and nothing else does."""
    name_all(machine)
    (machine.folder / "config").write_text(f"[profile bad]\nrole_arn = {ARN.format(1)}\n")
    accounts = machine.accounts()
    assert set(accounts.unusable) == {"bad"}
    assert accounts["users"].account_id == f"{5:012}"
    (machine.folder / "config").write_text(f"[profile users]\nrole_arn = {ARN.format(1)}\n")
    assert machine.read()["users"] == f"{5:012}"


def test_without_a_home_there_is_no_file_of_the_users(machine: Machine) -> None:
    """As in some containers."""
    del machine.environ["XDG_CONFIG_HOME"], machine.environ["APPDATA"]
    machine.write("project/inner/xsession.toml", "project", number=3)
    assert machine.read() == ids(project=3)


@pytest.mark.parametrize(
    ("platform", "environ", "path"),
    [
        ("linux", {"HOME": "/h"}, "/h/.config/xsession/xsession.toml"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "/c/xsession/xsession.toml"),
        ("linux", {"HOME": "/h", "XDG_CONFIG_HOME": "relative"}, "/h/.config/xsession/xsession.toml"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Application Support/xsession/xsession.toml"),
        ("darwin", {"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "/c/xsession/xsession.toml"),
        ("win32", {"APPDATA": r"C:\u\a"}, r"C:\u\a\xsession\xsession.toml"),
        ("win32", {"USERPROFILE": r"C:\u"}, r"C:\u\AppData\Roaming\xsession\xsession.toml"),
        ("linux", {}, None),
        ("win32", {"HOME": "/h"}, None),
    ],
)
def test_the_users_own_file_is_where_the_platform_has_them(
    platform: str, environ: dict[str, str], path: str | None
) -> None:
    """Whether it is there or not."""
    kind = PureWindowsPath if platform == "win32" else PurePosixPath
    assert user_file(environ, platform) == (None if path is None else kind(path))


def test_it_may_be_pickled(machine: Machine) -> None:
    """And finds the same in another process."""
    name_all(machine)
    discovery = Discovery.of(None, Accounts(), combine=None, folder=machine.project)
    assert pickle.loads(pickle.dumps(discovery)).read(machine.environ, 0.0) == discovery.read(machine.environ, 0.0)


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("--config {file} users", False),
        ("--config '{file}' --profile keys users", False),
        ("--config {file} other", True),
        ("--config {file}.old users", True),
        ("users", True),
    ],
)
def test_a_profile_that_asks_us_for_a_projects_account_takes_no_name(machine: Machine, words: str, taken: bool) -> None:
    """As `xsession aws-config` writes it; one for another file's account, or with settings of its own, does."""
    file = machine.write("project/inner/xsession.toml", "users", number=3)
    command = f"/bin/xsession credential-process {words.format(file=file)}"
    config = machine.folder / "config"
    config.write_text(f"[profile users]\ncredential_process = {command}\nregion = eu-west-1\n")
    if taken:
        with pytest.raises(ConfigError, match="the user's own file has this name"):
            machine.read()
        return
    assert machine.accounts()["users"].account_id == f"{3:012}"
    config.write_text(f"{config.read_text()}role_arn = {ARN.format(4)}\n")
    with pytest.raises(ConfigError, match="the user's own file has this name"):
        machine.read()


def test_accounts_are_read_without_a_session(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that are found from this folder, or those of one file."""
    for name, value in machine.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(machine.project)
    machine.write("project/inner/xsession.toml", "project", number=3)
    machine.profile("profile", number=6)
    assert [*Accounts.from_config()] == ["project", "keys", "profile"]
    assert [*Accounts.from_config("xsession.toml")] == ["project"]
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        Accounts.from_config("missing.toml")


def test_a_current_folder_that_was_removed_is_said(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In our words: the operating system's name no file."""
    gone = machine.folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match=r"the current folder was removed.*change to one"):
        Accounts.from_config()
    with pytest.raises(ConfigError, match=r"the current folder was removed"):
        Accounts.from_config("xsession.toml")


def test_a_file_with_an_absolute_path_is_read_from_a_folder_that_was_removed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a service whose old release was deleted: the profiles of aws-config name their files so."""
    file = machine.write("own.toml", "vegeta", number=1)
    gone = machine.folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert [*Accounts.from_config(file.resolve())] == ["vegeta"]


def test_a_current_folder_that_may_not_be_looked_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems look for it from the root on."""

    def refused() -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "cwd", refused)
    with pytest.raises(ConfigError, match="the current folder can't be found: Permission denied"):
        Accounts.from_config()
