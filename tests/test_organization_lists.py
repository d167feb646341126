from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.organizations import ROLE, OrganizationWorld, member_id, shows_states
from tests.support.worlds import BATMAN, World
from xsession import ConfigError, CrossAccountSession, OrganizationError
from xsession.accounts import Accounts, TrustedFiles
from xsession.events import NeedsAttention
from xsession.testing import FakeClock, Fault

pytestmark = shows_states

REFUSED = Fault(service="organizations", status=400, code="AccessDeniedException", message="no", times=None)
DAY = 86_400.0


@pytest.fixture
def org(world: World) -> OrganizationWorld:
    """With an account in an OU, and a role by which the management account lists the others."""
    made = OrganizationWorld(world)
    world.batman.role("Lister", trusts=BATMAN)
    made.member(1, "data", unit="Workloads/Prod", tags={"env": "prod"})
    made.member(2, "old", unit="Suspended")
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file whose accounts come from the organization."""
    return written(tmp_path / "xsession.toml")


def written(path: Path, more: str = 'exclude = ["Suspended"]', above: str = "") -> Path:
    """Writes such a file."""
    path.write_text(
        f"""{above}
[accounts.management]
account_id = "{BATMAN}"
role_name = "Lister"

[organization]
account = "management"
role_name = "{ROLE}"
{more}
"""
    )
    return path


def session(org: OrganizationWorld, path: Path | None, **options: Any) -> CrossAccountSession:
    """A session of a file."""
    made = CrossAccountSession.from_config(path, session=org.world.source, hooks=[org.world.events], **options)
    org.world._sessions.append(made)
    return made


def test_a_file_asks_once(org: OrganizationWorld, path: Path) -> None:
    """The next session reads what was kept, and makes no network call."""
    xs = session(org, path)
    assert list(xs) == ["management", "data"]
    assert xs.whoami("data").account_id == member_id(1)
    assert xs.accounts.explain()[-1].reason == "exclude: it is in 'Suspended'"
    org.aws.clear_calls()
    assert list(session(org, path)) == list(Accounts.from_toml(path)) == ["management", "data"]
    assert org.aws.calls == []


def test_an_account_of_the_file_comes_before_the_organizations(org: OrganizationWorld, path: Path) -> None:
    """By its id, and by its name: so the management account has a way of its own (H92)."""
    other = f'[accounts.data]\nrole_arn = "arn:aws:iam::{member_id(9)}:role/Own"\n'
    xs = session(org, written(path, above=other))
    assert {name: account.account_id for name, account in xs.accounts.items()} == {
        "data": member_id(9),
        "management": BATMAN,
    }
    assert [each.name for each in xs.accounts.explain()] == ["data", "management", "old"]


def test_offline_nothing_is_asked(org: OrganizationWorld, path: Path) -> None:
    """As the commands that list accounts do: what was never listed is missing."""
    xs = session(org, path, offline=True)
    assert list(xs) == list(Accounts.from_toml(path)) == ["management"]
    assert org.aws.calls == []
    assert [(ask.account, ask.is_kept) for ask in xs.accounts.asks] == [("management", False)]


def test_reload_asks_again(org: OrganizationWorld, path: Path) -> None:
    """Accounts that did not change keep their credentials and clients; the hub's and the lister's too."""
    xs = session(org, path)
    client = xs.get_client("sts", "data")
    client.get_caller_identity()
    org.member(3, "new", unit="Workloads")
    org.aws.clear_calls()
    xs.reload()
    assert list(xs) == ["management", "data", "new"]
    assert xs.get_client("sts", "data") is client
    client.get_caller_identity()
    assert org.aws.count("AssumeRole") == 0
    assert org.aws.count("ListAccounts") == 1


def test_an_old_list_is_used_and_said_to_be_old(org: OrganizationWorld, path: Path) -> None:
    """Where AWS can't be asked; never nothing, and never unsaid (H95)."""
    clock = FakeClock()
    xs = session(org, path, clock=clock)
    clock.advance(3 * DAY)
    org.aws.fail(REFUSED)
    xs.reload()
    assert list(xs) == ["management", "data"]
    (event,) = org.world.events.of(NeedsAttention)
    assert (event.account, event.hint) == ("management", "call reload() once that is solved")
    assert event.message.startswith("the list of accounts is 3 days old, since AWS could not be asked: account 'manag")
    (note,) = xs.accounts["data"].notes
    assert note.startswith("the list of accounts that names it is 3 days old")
    kept = xs.organization("management")
    assert "AccessDeniedException" in str(kept.problem)
    assert kept.age == 3 * DAY


def test_an_account_that_is_gone_is_an_outcome(org: OrganizationWorld, path: Path) -> None:
    """It is refused, its note says how old the list is, and the others are reached (H87)."""
    org.member(3, "gone", role=False)
    session(org, path, clock=FakeClock(time.time() - 3 * DAY - 60))
    org.organization.remove(member_id(3))
    late = session(org, path)
    old = ("the list of accounts that names it is 3 days old; reload() asks AWS again",)
    for outcomes in (late.verify(), late.run(lambda session: session.name).collect()):
        assert {name: each.ok for name, each in outcomes.items()} == {"management": True, "data": True, "gone": False}
        assert outcomes["gone"].notes == old
    assert (outcomes["gone"].phase, outcomes["gone"].category) == ("reach", "refused")


def test_refused_without_a_list_is_an_error(org: OrganizationWorld, path: Path) -> None:
    """However empty the selection may be (H95)."""
    org.aws.fail(REFUSED)
    with pytest.raises(OrganizationError, match=r"ListAccounts: AccessDenied.*; allow organizations:ListAccounts"):
        session(org, written(path, "allow_empty = true"))
    with pytest.raises(OrganizationError):
        org.accounts(allow_empty=True)


def test_an_account_that_left_its_organization_has_no_old_list(org: OrganizationWorld, path: Path) -> None:
    """What was true before is not any more (H94)."""
    xs = session(org, path)
    org.organization.remove(BATMAN)
    with pytest.raises(ConfigError, match="the account is in no organization"):
        xs.reload()
    assert list(xs) == ["management", "data"]


def test_a_file_that_changed_since_is_asked_for_again(org: OrganizationWorld, path: Path) -> None:
    """An OU that was made after the list, or tags that are not in it; and what is wrong is said."""
    session(org, path)
    org.member(3, "new", unit="Fresh")
    xs = session(org, written(path, 'under = ["Fresh"]'))
    assert list(xs) == ["management", "new"]
    with pytest.raises(ConfigError, match=r"xsession.toml:\d+: organization: under: .* no OU 'Freshh'"):
        session(org, written(path, 'under = ["Freshh"]'))
    with pytest.raises(ConfigError, match="Freshh"):
        Accounts.from_toml(path)
    assert list(session(org, path, offline=True)) == ["management"]
    before = list(xs)
    written(path, 'under = ["Freshh"]')
    with pytest.raises(ConfigError, match="Freshh"):
        xs.reload()
    assert list(xs) == before


def test_tags_that_are_not_in_the_list_are_asked_for(org: OrganizationWorld, path: Path) -> None:
    """A delegated administrator has none from the tagging API."""
    org.aws.fail(Fault(service="tagging", status=400, code="AccessDeniedException", times=None))
    session(org, path)
    assert org.aws.count("ListTagsForResource") == 0
    assert list(session(org, written(path, 'tags = { env = "prod" }'))) == ["management", "data"]
    assert org.aws.count("ListTagsForResource") == 3
    org.aws.fail(REFUSED)
    assert list(session(org, path)) == ["management", "data"]


def test_without_a_home_nothing_is_kept(
    org: OrganizationWorld, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such as in a container; or where the folder can't be written to, which is said."""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME", raising=False)
    assert list(session(org, path)) == ["management", "data"]
    assert not org.world.events.of(NeedsAttention)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert list(session(org, path)) == ["management", "data"]
    (event,) = org.world.events.of(NeedsAttention)
    assert event.message.startswith("the list of accounts is not kept on disk: ")
    assert org.aws.count("ListAccounts") == 2


def test_the_source_may_be_who_asks(org: OrganizationWorld) -> None:
    """STS says whose list it is, since the same profile may be another account's tomorrow."""
    xs = org.session()
    assert xs.organization().management_id == BATMAN
    org.aws.fail(REFUSED)
    assert xs.organization().problem is not None
    assert org.aws.count("GetCallerIdentity") == 2
    org.aws.fail(Fault(operation="GetCallerIdentity", status=403, code="InvalidClientTokenId", times=None))
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        xs.organization()


def test_a_found_file_must_be_trusted(org: OrganizationWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a cloned repository had an organization listed, and roles of its choice assumed."""
    folder = tmp_path / "project"
    folder.mkdir()
    written(folder / "xsession.toml")
    monkeypatch.chdir(folder)
    with pytest.raises(
        ConfigError, match=r"organization is only for a file that you trust, and this one is not trusted"
    ):
        session(org, None)
    assert org.aws.calls == []
    (trusted,) = TrustedFiles.of_user().trust()
    assert list(trusted.values) == ["organization"]
    assert list(session(org, None)) == ["management", "data"]


def test_a_session_with_an_organization_is_pickled(org: OrganizationWorld, path: Path) -> None:
    """A worker needs not ask again."""
    org.aws.write_profiles(
        f"[profile bruce]\naws_access_key_id = {org.world.key.access_key_id}\n"
        f"aws_secret_access_key = {org.world.key.secret_access_key}\n"
    )
    with org.aws.applied():
        xs = CrossAccountSession.from_config(path, profile_name="bruce")
        copy = pickle.loads(pickle.dumps(xs))
        assert list(copy) == ["management", "data"]
        assert copy.accounts["data"].ou_path == "Workloads/Prod"
        xs.close()
        copy.close()


def test_a_name_from_aws_takes_none_of_the_users(
    org: OrganizationWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not a profile's, whose place is behind the file's: anybody may rename an account."""
    folder = tmp_path / "xsession"
    folder.mkdir()
    written(folder / "xsession.toml")
    config = tmp_path / "config"
    config.write_text(
        f"[profile data]\nrole_arn = arn:aws:iam::{member_id(9)}:role/Own\ncredential_source = Environment\n"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # asked for, and kept
        assert session(org, None).accounts["data"].account_id == member_id(9)


def test_more_accounts_take_no_name(org: OrganizationWorld, path: Path) -> None:
    """In whichever order they are joined; the organization's own may change."""
    found = session(org, path).accounts
    own = Accounts({"data": f"arn:aws:iam::{member_id(9)}:role/Own"})
    assert (own | found)["data"] == (found | own)["data"] == own["data"]
    assert list(own | found) == ["data", "management"]
    assert (found | found)["data"] == found["data"]
