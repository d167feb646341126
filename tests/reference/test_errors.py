from __future__ import annotations

import re

import pytest

from tools.project import ROOT
from xsession import errors


def sections(page: str) -> dict[str, str]:
    """What a page says below each of its headings."""
    _, *parts = re.split(r"^##+ +(.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


TROUBLESHOOTING = sections((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_its_cause_and_a_way_out(name: str) -> None:
    """Below a heading of its name, to which others link, the two in words of their own."""
    text = TROUBLESHOOTING[name]
    for label in ("Cause", "Way out"):
        (said,) = re.findall(rf"^\*\*{label}:\*\* (.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(said.split()) >= 4, said


def test_no_error_is_explained_that_does_not_exist() -> None:
    """A heading that is one word in CamelCase is an error, a warning or an event."""
    named = {heading for heading in TROUBLESHOOTING if re.fullmatch(r"[A-Z]\w+(Error|Warning|Problem)", heading)}
    assert named - set(errors.__all__) == {"StoreProblem"}
