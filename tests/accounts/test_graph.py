from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from tests.support.attacks import ATTACKS, harmless
from xsession import Account, Accounts, ConfigError, Role, RoleChain
from xsession.accounts import Profile

HUB = "arn:aws:iam::333333333333:role/Hub"
LAST = "arn:aws:iam::222222222222:role/Reader"
OTHER = "arn:aws:iam::444444444444:role/Reader"
EXTERNAL_ID = "wJalrXUtnFEMI"
GIVEN: dict[str, Any] = {
    "vegeta": LAST,
    "deep": RoleChain(HUB, Role(LAST, external_id=EXTERNAL_ID)),
    "other": RoleChain(HUB, OTHER),
    "hub": HUB,
    "narrow": Role(LAST, duration_seconds=900),
    "theirs": Account("theirs", LAST, source="prod"),
    "sso": Account("sso", source=Profile("prod")),
}
ACCOUNTS = Accounts(GIVEN)


def test_accounts_share_what_their_ways_have_in_common() -> None:
    """The source, and from there the same roles; from another source it is another way."""
    assert str(ACCOUNTS.graph()).splitlines() == [
        "source",
        "    vegeta, narrow: Reader (222222222222)",
        "    hub: Hub (333333333333)",
        "        deep: Reader (222222222222)",
        "        other: Reader (444444444444)",
        "sso: profile prod",
        "    theirs: Reader (222222222222)",
    ]


def test_mermaid_has_a_box_for_each_step() -> None:
    """And an arrow from the one before."""
    assert Accounts({"deep": RoleChain(HUB, LAST)}).graph().to_mermaid().splitlines() == [
        "flowchart LR",
        '    s0["source"]',
        '    s1["Hub (333333333333)"]',
        "    s0 --> s1",
        '    s2["deep<br/>Reader (222222222222)"]',
        "    s1 --> s2",
    ]
    assert ACCOUNTS.graph().to_mermaid().count("-->") == 5


def test_a_notebook_gets_mermaid_and_the_tree() -> None:
    """JupyterLab draws the first, any other shows the second; no external id is in either."""
    graph = ACCOUNTS.graph()
    bundle = graph._repr_mimebundle_()
    assert bundle == {"text/vnd.mermaid": graph.to_mermaid(), "text/plain": str(graph)}
    assert EXTERNAL_ID not in f"{bundle}{graph!r}"


def test_graphviz_draws_it_too() -> None:
    """As an object of its own library, which knows DOT and SVG."""
    source = ACCOUNTS.graph().to_graphviz().source
    assert source.count("->") == 5
    assert 's1 [label="vegeta, narrow\nReader (222222222222)"]' in source


def test_without_graphviz_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mermaid needs no package."""
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ConfigError, match=r"xsession\[notebook\]"):
        ACCOUNTS.graph().to_graphviz()
    assert ACCOUNTS.graph().to_mermaid()


def test_two_boto3_sessions_are_two_sources() -> None:
    """A boto3 session has no name; one that several accounts have is one source."""
    sources: list[Any] = [Source(), Source()]
    accounts = [Account(f"a{number}", LAST, source=source) for number, source in enumerate([*sources, sources[0]])]
    assert str(Accounts(accounts).graph()).splitlines() == [
        "boto3 session",
        "    a0, a2: Reader (222222222222)",
        "boto3 session",
        "    a1: Reader (222222222222)",
    ]


class Source:
    """As a boto3 session, to the eyes of an account."""

    get_credentials = None


def test_many_names_of_one_role_are_counted() -> None:
    """A box has room for a few."""
    graph = Accounts({f"a{number}": LAST for number in range(8)}).graph()
    assert str(graph).splitlines()[1] == "    a0, a1, a2, a3, a4 and 3 more: Reader (222222222222)"


def test_no_accounts_are_an_empty_graph() -> None:
    """Which Mermaid draws as nothing."""
    assert str(Accounts().graph()) == ""
    assert Accounts().graph().to_mermaid() == "flowchart LR"


def test_a_long_chain_is_a_long_tree() -> None:
    """Of any depth: nothing here is recursive."""
    roles = [f"arn:aws:iam::{number:012}:role/Hop" for number in range(1, 1_500)]
    lines = str(Accounts({"far": RoleChain(*roles)}).graph()).splitlines()
    assert len(lines) == 1_500
    assert lines[-1].lstrip() == "far: Hop (000000001499)"


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_the_name_of_a_profile_stays_a_label(text: str) -> None:
    """In Mermaid, whose labels are HTML and have quotes of their own; in DOT, which has HTML labels; in the tree."""
    graph = Accounts([Account("a", source=text)]).graph()
    head, box = graph.to_mermaid().split("\n")
    label = re.fullmatch(r'    s0\["a<br/>(profile [A-Za-z0-9 ._:,()+=@/#;-]*)"\]', box)
    assert label is not None
    assert head == "flowchart LR"
    assert harmless(str(graph))
    assert "\n" not in str(graph)
    box = graph.to_graphviz().source.split("\n", 3)[3]
    assert re.fullmatch(r's0 \[label="a\nprofile (?:[^"\\]|\\.)*"\]\n\}\n', box.lstrip())
