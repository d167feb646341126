"""Publishes the package's JSON schema with the documentation: one file, which both have."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent  # mkdocs loads this file alone, so it imports nothing of `tools`
NAME = "xsession.schema.json"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds it to the pages of the reference, where their links look for it."""
    files.append(File.generated(config, f"reference/{NAME}", abs_src_path=str(ROOT / "xsession" / NAME)))
    return files
