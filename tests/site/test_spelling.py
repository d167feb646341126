"""Words are spelled as dictionaries have them, in American English as AWS writes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.project import ROOT

HERE = Path(__file__).parent
TOOLS = ROOT / ".venvs" / "site"
CSPELL = TOOLS / "node" / "node_modules" / "cspell" / "bin.mjs"
PROSE = ["*.md", "docs/**/*.md", "docs/**/*.svg", "mkdocs.yml", "xsession/**/*.py"]


def unknown_words(*files: str, root: Path = ROOT) -> list[str]:
    """The words that no dictionary has, each with its place and, where there are some, what may have been meant."""
    if not CSPELL.exists():
        pytest.skip("CSpell is not installed: run make test-site")
    command: list[str | Path] = [
        TOOLS / "bin" / "node",
        CSPELL,
        "lint",
        "--no-progress",
        "--no-summary",
        "--show-suggestions",
    ]
    command += ["--config", HERE / "cspell.json", "--root", root, *files]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()


def test_words_are_in_a_dictionary() -> None:
    """In pages, pictures, docstrings and comments, but for code; the project's own words are in `words.txt`."""
    assert unknown_words(*PROSE) == [], "misspelled? else add it to tests/site/words.txt"


def test_a_misspelled_word_is_found(tmp_path: Path) -> None:
    """In a page, and in a docstring: not in code, which has names."""
    (tmp_path / "page.md").write_text("# Acconuts\n\n`acconuts` are\n\n```python\nacconuts = 1\n```\n")
    (tmp_path / "module.py").write_text('"""The acconut."""\nacconut = "acconut"\n')
    found = unknown_words("*.md", "*.py", root=tmp_path)
    assert sorted(line.partition(" - ")[0] for line in found) == ["module.py:1:8", "page.md:1:3"]


def test_every_word_is_used() -> None:
    """What was corrected, or is gone, must not hide the next mistake."""
    words = (HERE / "words.txt").read_text(encoding="utf-8").split()
    prose = "\n".join(path.read_text(encoding="utf-8") for pattern in PROSE for path in ROOT.glob(pattern)).lower()
    assert [word for word in words if word.lower() not in prose] == []
    assert words == sorted(set(words), key=str.lower)
