"""Every public name of the package, read from the source, and the table of them on the first page of the reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PAGE = "reference/api/index.md"
MARKER = "<!-- public names -->"


def public_names(package: griffe.Module) -> dict[str, griffe.Object]:
    """What each public module has in `__all__`, by the shortest path by which it is imported.

    Args:
        package: The package, as griffe has read it.
    """
    faces = [package, *(module for name, module in sorted(package.modules.items()) if not name.startswith("_"))]
    found: dict[str, tuple[str, griffe.Object]] = {}
    for face in faces:
        for name in face.exports or ():
            item = face[str(name)]
            target = item.final_target if item.is_alias else item
            found.setdefault(target.path, (f"{face.path}.{name}", target))
    return dict(found.values())


def purpose(item: griffe.Object) -> str:
    """The first sentence of its docstring, without the period."""
    text = item.docstring.value if item.docstring else ""
    return re.split(r"(?<=\.)\s|\n\n", text, maxsplit=1)[0].replace("\n", " ").rstrip(".")


def table(package: griffe.Module) -> str:
    """A row for each, by name, with a link to where it is described.

    Args:
        package: The package, as griffe has read it.
    """
    rows = [(*path.rpartition(".")[::2], purpose(item)) for path, item in public_names(package).items()]
    rows.sort(key=lambda row: row[1].lower())
    lines = [f"| [`{name}`][{module}.{name}] | `{module}` | {what} |" for module, name, what in rows]
    return "\n".join(["| name | module | what it is |", "|---|---|---|", *lines])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 # MkDocs's
    """Puts the table in its place."""
    if page.file.src_uri != PAGE:
        return markdown
    handler = config.plugins["mkdocstrings"].get_handler("python")  # type: ignore[attr-defined] # MkDocs knows no plugin's class
    return markdown.replace(MARKER, table(handler.collect("xsession", handler.get_options({}))))
