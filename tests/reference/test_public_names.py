from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.reference import PAGES
from tools.project import ROOT

if TYPE_CHECKING:
    import griffe


DIRECTIVE = re.compile(r"^::: (xsession\S*)$", re.MULTILINE)
# What no snippet of its page calls by name, and why.
WITHOUT_EXAMPLE = {
    "xsession.accounts.IdentityCenterAccount": "needs a login; the how-to page has it",
    "xsession.accounts.Organization": "the how-to page of organizations has an AWS with one",
    "xsession.accounts.OrganizationAccount": "likewise",
    "xsession.accounts.OrganizationalUnit": "likewise",
    "xsession.cli.main": "the program `xsession`",
    "xsession.integrations.RayExecutor": "needs Ray; the page of many accounts has it",
    "xsession.testing.NotJudgedError": "is raised by what LocalAWS does not know",
}


def snippets(page: str) -> str:
    """The Python of a page, which the tests run."""
    return "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))


@pytest.fixture(scope="module")
def public() -> dict[str, griffe.Object]:
    """Every public name, as the table of the first page has them."""
    reader = pytest.importorskip("griffe")
    from tools.public_names import public_names  # noqa: PLC0415 # it imports griffe

    package: griffe.Module = reader.load("xsession", search_paths=[ROOT])
    return public_names(package)


def test_every_public_name_is_described_once(public: dict[str, griffe.Object]) -> None:
    """And nothing that is not public, or not there."""
    described = [name for page in PAGES.values() for name in DIRECTIVE.findall(page)]
    described.remove("xsession.errors")  # the tree of all errors
    assert sorted(described) == sorted(public)


def test_every_public_name_says_what_it_is_for(public: dict[str, griffe.Object]) -> None:
    """In a docstring, of which the reference is made."""
    assert [name for name, item in public.items() if item.docstring is None] == []


def test_every_public_name_is_used_in_an_example(public: dict[str, griffe.Object]) -> None:
    """On its page, in a snippet that the tests run; of errors, how they are caught is shown for a few."""
    described = [(name, snippets(page)) for page in PAGES.values() for name in DIRECTIVE.findall(page)]
    used = {name for name, code in described if re.search(rf"\b{name.rpartition('.')[2]}\b", code)}
    raised = {name for name, item in public.items() if item.path.startswith(("xsession.errors.", "xsession.events."))}
    constants = {name for name, item in public.items() if item.is_attribute and name.rpartition(".")[2].isupper()}
    assert sorted(public.keys() - used - raised - constants) == sorted(WITHOUT_EXAMPLE)
