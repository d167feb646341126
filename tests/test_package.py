"""What is said about the package agrees: its metadata, the changelog, the pages of support and of the footprint."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tools import dist, extra_uses, extras, test_all
from tools.project import PYPROJECT, ROOT, lower_bounds

PROJECT = PYPROJECT["project"]
FOR_WORK_ON_XSESSION = {"bench", "dev", "dist", "docs", "test"}


def page(name: str) -> str:
    """The text of a page of the reference."""
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def classified() -> list[str]:
    """The versions of Python that the classifiers name."""
    prefix = "Programming Language :: Python :: "
    return [found for line in PROJECT["classifiers"] if re.fullmatch(r"3\.\d+", found := line.removeprefix(prefix))]


def row(name: str) -> list[str]:
    """What is supported and what is tested, of the page about support."""
    (line,) = re.findall(rf"^\| {name} \|(.*)\|$", page("support.md"), re.MULTILINE)
    return [cell.strip() for cell in line.split("|")]


def test_the_changelog_begins_with_this_release() -> None:
    """Below what is not released; each release once, the newest first, with its day."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, *releases = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert releases[0].partition(" - ")[0] == PROJECT["version"]
    assert [name for name in releases if not re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", name)] == []
    assert len(set(releases)) == len(releases)


def test_headings_of_a_release_come_once() -> None:
    """Two changes at the same time each bring a heading; a reader looks at the first alone."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^###+ (.*)$", release, re.MULTILINE)
        lines = re.findall(r"^\* .*$", release, re.MULTILINE)
        assert len(set(headings)) == len(headings)
        assert len(set(lines)) == len(lines)


def test_the_page_about_support_names_the_pythons_of_the_metadata() -> None:
    """The lowest, and each that is tested; `make test-all` looks for all of them."""
    supported, tested = row("Python")
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert supported.startswith(f"{lowest} or newer")
    assert tested.split(", ") == classified()
    assert classified()[0] == lowest
    assert set(classified()) <= set(test_all.VERSIONS)


def test_the_page_about_support_names_the_lower_bounds() -> None:
    """Of each package that xsession needs."""
    for name, lowest in lower_bounds().items():
        assert row(name) == [f"{lowest} or newer", f"{lowest} and the newest"]


def test_extras_for_work_on_xsession_are_told_by_their_names() -> None:
    """Whoever installs `xsession[...]` by a library's name gets that library, and nothing to test us with."""
    work = {name for name in extras.EXTRAS if name in FOR_WORK_ON_XSESSION or name.startswith("test-")}
    assert extras.EXTRAS.keys() - work == extras.PURPOSES.keys()
    for name in extras.PURPOSES.keys() - {"testing"}:
        assert {"hypothesis", "pytest", "pytest-xdist", "sybil"} & set(extras.requirements(name)) == set()


def test_each_extra_is_used_and_weighed() -> None:
    """By `make footprint`: a function that uses it, and a row of the page that asks for what it asks for now."""
    text = page("footprint.md")
    for name in extras.PURPOSES:
        assert callable(getattr(extra_uses, name))
        (asks,) = re.findall(rf"^\| `{name}` \|[^|]*\|([^|]*)\|", text, re.MULTILINE)
        assert asks.strip() == ", ".join(extras.requirements(name))


def test_requirements_of_extras_are_those_of_the_extras_within_too() -> None:
    """Once each, in the order in which they are named."""
    assert extras.requirements("pandas") == ["s3fs", "aiobotocore", "pandas"]
    assert extras.requirements("cli") == ["click", "rich"]


def test_the_table_says_what_an_extra_adds() -> None:
    """To an installation without any."""
    plain = extras.Footprint({"xsession": 1_000_000, "boto3": 2_000_000}, "1.40", "3.11.7", 0.25)
    cli = extras.Footprint({**plain.packages, "click": 500_000}, "1.40", "3.11.7", None)
    first, second = extras.table({extras.NOTHING: plain, "cli": cli}).splitlines()[2:4]
    assert first.endswith("| 2 | 3.0 | 250 | 1.40 |")
    assert second.endswith("| click, rich | 1 | 0.5 |  | 1.40 |")


def test_a_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    """Neither tests beside it, nor less than it has."""
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
        for name in ("xsession/__init__.py", "tests/test_it.py", "xsession-0.2.0.dist-info/METADATA"):
            archive.writestr(name, "")
    files = {"xsession/__init__.py", "xsession/py.typed", "tests/test_it.py"}
    assert dist.wrong_contents(tmp_path / "some.whl", files) == ["tests/test_it.py", "xsession/py.typed"]
