"""What the built pages say of themselves, and where their links lead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.support.html import HTML
from tools.page_descriptions import described, first
from tools.project import PYPROJECT, ROOT

SOURCE = PYPROJECT["project"]["urls"]["Source"]
OF_THE_REPOSITORY = re.compile(rf"{re.escape(SOURCE)}/(?:blob|tree)/HEAD/([^#?]*)")


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, HTML]:
    """The pages, each by where it lies in the site: all but the one for addresses that lead nowhere."""
    paths = [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]
    return {path.relative_to(site).as_posix(): HTML(path) for path in paths}


def broken(name: str, links: list[str], site: Path, anchors: Callable[[str], set[str]]) -> Iterator[str]:
    """The links of a file that lead nowhere, with why: to other servers' pages they are taken as right."""
    for link in links:
        if found := OF_THE_REPOSITORY.match(link):
            if not (ROOT / found[1]).exists():
                yield f"{name}: {link}: the repository has no {found[1]}"
        elif not urlsplit(link).scheme and not link.startswith("//"):
            where, anchor = urldefrag(urljoin(f"/{name}", link))
            target = unquote(where).removeprefix("/")
            path = site / target
            if path.is_dir() and (path / "index.html").is_file():
                path /= "index.html"
            if not path.is_file():
                yield f"{name}: {link}: there is no {target or 'index.html'}"
            elif anchor and unquote(anchor) not in anchors(path.relative_to(site).as_posix()):
                yield f"{name}: {link}: {path.relative_to(site)} has no anchor #{anchor}"


def test_every_link_leads_somewhere(site: Path, pages: dict[str, HTML]) -> None:
    """To a file of the site and an anchor in it, or to a file of the repository."""

    def anchors(name: str) -> set[str]:
        # Of llms.txt's Markdown and of pictures, none is asked for.
        return pages[name].anchors if name in pages else set()

    assert [line for name, page in pages.items() for line in broken(name, page.links, site, anchors)] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    """Each kind: a page, an anchor, a file of the repository."""
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "index.html").write_text("")
    wrong = ["../guide/#gone", "../gone/", f"{SOURCE}/blob/HEAD/GONE"]
    links = ["../guide/#there", f"{SOURCE}/blob/HEAD/README.md", *wrong]
    found = [line.split(": ")[1] for line in broken("guide/index.html", links, tmp_path, lambda _name: {"there"})]
    assert found == wrong


def heading_anchors(markdown: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a file."""
    headings = re.findall(r"^#+ (.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_the_repositorys_own_pages_lead_somewhere(name: str) -> None:
    """To files of the repository, also by their whole address, and to headings."""
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8"))

    def anchors(target: str) -> set[str]:
        return heading_anchors((ROOT / target).read_text(encoding="utf-8"))

    assert list(broken(name, links, ROOT, anchors)) == []


def test_every_page_has_one_heading_and_a_title_of_its_own(pages: dict[str, HTML]) -> None:
    """Browsers show the title in tabs, histories and bookmarks, and screen readers begin with the heading."""
    titles = Counter(page.titles[0] for page in pages.values() if page.titles)
    wrong = [f"{name}: {page.headings} h1" for name, page in pages.items() if page.headings != 1]
    wrong += [f"{name}: no title" for name, page in pages.items() if not page.titles]
    wrong += [f"{count} pages have the title {title!r}" for title, count in titles.items() if count > 1]
    assert wrong == []


def test_every_page_has_a_description_of_its_own(pages: dict[str, HTML]) -> None:
    """Search engines show it below the title: its first paragraph or, in front matter, `description`."""
    described = {name: page.descriptions for name, page in pages.items()}
    counts = Counter(text for texts in described.values() for text in texts)
    say = "write `description: ...` in the page's front matter"
    wrong = [f"{name}: {len(texts)} descriptions" for name, texts in described.items() if len(texts) != 1]
    for text, count in counts.items():
        (name, *_others) = [name for name, texts in described.items() if text in texts]
        if not 40 <= len(text) <= 200:
            wrong.append(f"{name}: {len(text)} characters, not 40 to 200: {text!r}; {say}")
        if count > 1:
            wrong.append(f"{name}: {count} pages are described as {text!r}; {say}")
    assert wrong == []


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (
            "<p>Names <code>xs</code>,\n<a href='y'>in</a> &amp; out.</p><p>No more.</p>",
            "Names xs, in & out.",
        ),
        ("<p>One is whole. The next leads on:</p>", "One is whole."),
        ("<p>It leads on:</p>", "It leads on."),
        (f"<p>Short. {'x' * 160}.</p>", "Short."),
        (f"<p>{'word ' * 40}</p>", f"{'word ' * 31}…"),
        ("<h1>x</h1>", ""),
    ],
)
def test_a_page_is_described_by_its_first_sentences(content: str, description: str) -> None:
    """As many as a search engine shows, without markup, and without one that leads to a list."""
    assert described(content) == description


def test_a_page_has_the_title_that_is_its_heading() -> None:
    """Not its name in the navigation, which says less outside of it; and not the link that the theme adds."""
    heading = '<h1 id="x">Coming <em>from</em> boto3<a class="headerlink" href="#x">&para;</a></h1>'
    assert first("h1", heading) == "Coming from boto3"


LISTED = re.compile(r"^- \[(.+)\]\((.+?)\): (.+)$", re.MULTILINE)


def test_llms_txt_lists_every_page_once(site: Path, pages: dict[str, HTML]) -> None:
    """With its description, below the site's name; each is there as Markdown."""
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# xsession\n\n> ")
    links = [link for _title, link, _description in LISTED.findall(text)]
    listed = Counter(link.removesuffix(".md").removesuffix("index").rstrip("/") for link in links)
    shown = Counter(name.removesuffix("index.html").rstrip("/") for name in pages)
    assert listed == shown
    assert [link for link in links if not (site / link).is_file()] == []
    assert [line for line in text.splitlines() if line.startswith("- ") and not LISTED.match(line)] == []


def test_markdown_for_language_models_is_the_pages(site: Path) -> None:
    """As they were written; of a page of the reference, what its docstrings say; all of them in one file."""
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    pages = {link: (site / link).read_text(encoding="utf-8") for _title, link, _description in LISTED.findall(listed)}
    assert [link for link, text in pages.items() if text not in whole] == []
    assert [link for link, text in pages.items() if re.search("^::: ", text, re.MULTILINE)] == []
    assert "| `profile_name` |" in whole  # of a docstring
