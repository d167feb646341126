"""Runs the Python snippets of the README and the documentation, each page in a folder and an AWS of its own."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from xsession import CrossAccountSession
from xsession.testing import LocalAWS, Story

ROOT = Path(__file__).parent


@pytest.fixture(scope="module")
def snippets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Batman's credentials in the environment, and his accounts in the page's folder."""
    folder = tmp_path_factory.mktemp("snippets")
    shutil.copy(ROOT / "examples" / "xsession.toml", folder)
    with ExitStack() as stack:
        stack.enter_context(chdir(folder))
        if "LocalAWS" not in request.path.read_text(encoding="utf-8"):  # such a page brings its own
            aws = stack.enter_context(LocalAWS())
            story = Story.told_by(aws)
            aws.expect_mfa_code("arn:aws:iam::111111111111:mfa/bruce", "123456")
            admin = aws.account("222222222222").user("admin")
            keys = f"aws_access_key_id = {admin.access_key_id}\naws_secret_access_key = {admin.secret_access_key}"
            aws.write_profiles(f"[profile vegeta-admin]\n{keys}")
            stack.enter_context(aws.applied(story.key))
            os.environ["XDG_CONFIG_HOME"] = str(folder)  # until the environment of before is back
        yield
        for item in gc.get_objects():
            if type(item) is CrossAccountSession:
                item.close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=0)],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    fixtures=["snippets"],
).pytest()
