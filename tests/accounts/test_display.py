from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.attacks import ATTACKS, seen
from tests.support.notebooks import printed
from xsession import Account, Accounts, ConfigError, Role, RoleChain
from xsession.accounts import Profile, account_table

HUB = "arn:aws:iam::333333333333:role/path/Hub"
LAST = "arn:aws:iam::222222222222:role/Reader"
EXTERNAL_ID = "wJalrXUtnFEMI"
OWN_SESSION: Any = SimpleNamespace(get_credentials=None)


def same_words(shown: Any, text: str) -> bool:
    """Whether its HTML says what a text says."""
    return "".join(seen(shown._repr_html_()).text.split()) == "".join(text.split())


def test_accounts_print_as_a_table_which_a_notebook_shows_too() -> None:
    """How each is reached, from where to where; and of what can't be used, why."""
    given: dict[str, Any] = {
        "vegeta": Account("vegeta", LAST, region_name="eu-west-1", tags={"env": "prod", "team": "z"}),
        "deep": RoleChain(HUB, Role(LAST, external_id=EXTERNAL_ID)),
        "sso": Account("sso", source=Profile("sso", config_file="x"), account_id="222222222222"),
        "own": Account("own", source=OWN_SESSION),
        "pod": Role(LAST, web_identity_token_file="token"),
    }
    accounts = Accounts(given, unusable={"broken": ConfigError("no <role>")})
    assert str(accounts).splitlines() == [
        "account  id            reached through                                        region     tags",
        "vegeta   222222222222  source -> Reader (222222222222)                        eu-west-1  env=prod, team=z",
        "deep     222222222222  source -> Hub (333333333333) -> Reader (222222222222)  -          -",
        "sso      222222222222  profile sso                                            -          -",
        "own      -             boto3 session                                          -          -",
        "pod      222222222222  web identity -> Reader (222222222222)                  -          -",
        "broken   -             can't be used: no <role>                               -          -",
    ]
    assert same_words(accounts, str(accounts))
    assert EXTERNAL_ID not in f"{accounts}{accounts!r}{accounts._repr_html_()}"
    assert repr(accounts) == "Accounts(vegeta, deep, sso, own, pod)"


def test_an_account_shows_every_hop() -> None:
    """With the region of its clients, and what a person should know; never an external id."""
    account = Account("deep", RoleChain(HUB, Role(LAST, external_id=EXTERNAL_ID)), notes=("<has no effect>",))
    assert printed(account).splitlines() == [
        "account     deep",
        "id          222222222222",
        "source      source",
        f"hop 1       {HUB}",
        f"hop 2       {LAST}",
        "region      -",
        "tags        -",
        "defined in  -",
        "note        <has no effect>",
    ]
    assert same_words(account, printed(account))
    assert ("region", "eu-west-1") in account_table(account, "eu-west-1")[1]
    assert str(account) == repr(account)


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_others_wrote_stays_text(text: str) -> None:
    """Tags, profiles and errors come from files of any project."""
    account = Account("a", source=text, tags={text: text}, origin=text, notes=(text,))
    for shown in (account, Accounts([account], unusable={"b": ConfigError(text)})):
        page = seen(shown._repr_html_())
        assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td"}
        assert {key for _, attributes in page.tags for key, _ in attributes} == {"class"}
