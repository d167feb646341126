"""What tests and snippets share: what is costly is done once.

Runs the Python snippets of the README and the documentation, each page in a folder and an AWS of its own.
"""

from __future__ import annotations

import functools
import gc
import inspect
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from types import FunctionType
from typing import Any

import boto3
import botocore.loaders
import moto.backends
import moto.server
import pytest
from botocore import hooks
from botocore.hooks import EventAliaser
from botocore.loaders import Loader
from moto.core.utils import method_names_from_class
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from xsession import CrossAccountSession
from xsession.testing import LocalAWS, Story

ROOT = Path(__file__).parent
_SHOWS_STATES = tuple(map(int, botocore.__version__.split(".")[:3])) >= (1, 40, 27)


@pytest.fixture(autouse=True, scope="session")
def models_read_once() -> Iterator[None]:
    """Read botocore's models once for all tests, each of which has loaders of its own."""
    with pytest.MonkeyPatch.context() as patch:
        load = functools.lru_cache(botocore.loaders.JSONFileLoader().load_file)
        patch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _loader, path: load(path))
        yield


@pytest.fixture(autouse=True, scope="session")
def botocore_works_out_once() -> Iterator[None]:
    """Work out once what botocore would for each session, and which never differs: half of the time of a first client.

    The names of its events, whether a handler takes keywords, and which services its own folders have.
    """
    names: dict[str, str] = {}
    services: dict[tuple[str, ...], list[str]] = {}
    installed = tuple(package.__path__[0] for package in (botocore, boto3))
    make, accepts, listed = EventAliaser.__init__, hooks.accepts_kwargs, Loader.list_available_services

    def made(self: EventAliaser, event_emitter: Any, event_aliases: Any = None) -> None:
        make(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = names  # type: ignore[attr-defined]  # not in the stubs

    def accepts_kwargs(handler: Any) -> Any:
        function = getattr(handler, "__func__", handler)
        if type(function) is FunctionType and not hasattr(function, "__signature__"):
            return function.__code__.co_flags & inspect.CO_VARKEYWORDS
        return accepts(handler)

    def list_available_services(self: Loader, type_name: str) -> list[str]:
        folders = [path for path in self.search_paths if Path(path).is_dir()]
        if not all(folder.startswith(installed) for folder in folders):
            return listed(self, type_name)
        key = (type_name, *folders)
        if key not in services:
            services[key] = listed(self, type_name)
        return list(services[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventAliaser, "__init__", made)
        patch.setattr(hooks, "accepts_kwargs", accepts_kwargs)
        patch.setattr(Loader, "list_available_services", list_available_services)
        yield


@pytest.fixture(autouse=True, scope="session")
def moto_set_up_once() -> Iterator[None]:
    """Make moto's applications once for all local AWS, whose storage lies elsewhere, and no images of machines.

    An account's EC2 would begin with 1,300 of them, once more when it ends; and with each request, moto would look
    through its folders and its classes again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moto.server.create_backend_app", functools.cache(moto.server.create_backend_app))
        patch.setattr("moto.core.responses.method_names_from_class", functools.cache(method_names_from_class))
        modules = tuple(moto.backends.list_of_moto_modules())
        patch.setattr("moto.backends.list_of_moto_modules", lambda: modules)
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        yield


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> None:
    """Hide from the garbage collector what is there before a file's tests: mostly botocore's models, which stay.

    To walk through them again and again took a fifth of the time, and Python's own thresholds an eighth of the rest.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module")
def snippets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Batman's credentials in the environment, and Batman's accounts in the page's folder."""
    boto3.DEFAULT_SESSION = None  # one of another page would have the keys of its AWS
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
            os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CACHE_HOME"] = str(folder)  # until that of before is back
            os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        yield
        for item in gc.get_objects():
            if type(item) is CrossAccountSession:
                item.close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=0)],
    patterns=["README.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"],
    # An older botocore drops the state of accounts, of which users hear.
    excludes=[] if _SHOWS_STATES else ["docs/how-to/organization.md"],
    fixtures=["snippets"],
).pytest()
