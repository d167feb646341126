from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import xsession
from tools.project import ROOT
from xsession import errors


def sections(page: str) -> dict[str, str]:
    """What a page says below each of its headings."""
    _, *parts = re.split(r"^##+ +(.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


TROUBLESHOOTING = sections((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))


def raised() -> set[str]:
    """The names of all public errors and warnings, of whichever package."""
    modules = [module.name for module in pkgutil.iter_modules(xsession.__path__) if not module.name.startswith("_")]
    faces = [xsession, *(importlib.import_module(f"xsession.{name}") for name in modules)]
    public = {name: getattr(face, name) for face in faces for name in face.__all__}
    return {name for name, item in public.items() if isinstance(item, type) and issubclass(item, BaseException)}


def test_errors_of_every_package_are_known() -> None:
    """Those that stand with what raises them, too."""
    assert raised() > {*errors.__all__}
    assert "PolicyWarning" in raised()


@pytest.mark.parametrize("name", sorted(raised()))
def test_every_error_has_its_cause_and_a_way_out(name: str) -> None:
    """Below a heading of its name, to which others link, the two in words of their own."""
    text = TROUBLESHOOTING[name]
    for label in ("Cause", "Way out"):
        (said,) = re.findall(rf"^\*\*{label}:\*\* (.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(said.split()) >= 4, said


def test_no_error_is_explained_that_does_not_exist() -> None:
    """A heading that is one word in CamelCase is an error, a warning or an event."""
    named = {heading for heading in TROUBLESHOOTING if re.fullmatch(r"[A-Z]\w+(Error|Warning|Problem)", heading)}
    assert named - raised() == {"StoreProblem"}
