from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

import pytest

from tests.support.programs import run_python
from tools.project import PYPROJECT, ROOT, lower_bounds, tracked


def test_importing_the_package_starts_nothing() -> None:
    """No socket, thread, process, file, log handler or environment variable comes from any public name."""
    code = """
import logging, os, sys, threading
import boto3, botocore.httpsession  # what these do at import (urllib3 tries a socket) isn't ours

STARTS = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.putenv",
          "os.mkdir", "os.rename", "os.remove", "_thread.start", "signal.", "sqlite3.", "tempfile.")

def hook(event, args):
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if watching and (writes or event.startswith(STARTS)):
        print(event, args)

def logging_state():
    loggers = {"": logging.root, **logging.root.manager.loggerDict}
    return {
        name: ([h for h in logger.handlers if type(h) is not logging.NullHandler], logger.level, [*logger.filters])
        for name, logger in loggers.items() if isinstance(logger, logging.Logger)
    }

before = logging_state()
watching = True
sys.addaudithook(hook)
from xsession import *
watching = False
for name, state in logging_state().items():
    if state != before.get(name, ([], logging.NOTSET, [])):
        print("logging", name, state)
if threading.active_count() != 1:
    print(threading.enumerate())
"""
    assert run_python(code) == ""


def test_a_bare_import_brings_nothing() -> None:
    """A library that depends on this one costs nothing before another account is used."""
    code = """
import sys, xsession
kept = "xsession.", "boto3", "botocore", "cachetools", "opentelemetry", "ssl", "urllib3"
print(*sorted(name for name in sys.modules if name.startswith(kept)))
assert xsession.events.Event
assert "CrossAccountSession" in dir(xsession)
assert not hasattr(xsession, "CrossAccountSessions")
"""
    assert run_python(code).split() == ["xsession._base", "xsession._base.lazy"]


def test_a_bare_import_costs_what_two_small_modules_do() -> None:
    """Whatever else Python itself has by then: it brings no module of the standard library but what typing does."""
    code = """
from __future__ import annotations
import sys, importlib, types, typing, collections.abc
before = set(sys.modules)
import xsession
print(*sorted(set(sys.modules) - before))
"""
    assert run_python(code).split() == ["xsession", "xsession._base", "xsession._base.lazy"]


def test_an_extra_brings_what_it_is_named_for() -> None:
    """Who wants spans gets OpenTelemetry's API, and chooses the SDK."""
    (wanted,) = PYPROJECT["project"]["optional-dependencies"]["otel"]
    assert wanted.startswith("opentelemetry-api>=")


def test_descriptions_of_roles_need_no_boto3() -> None:
    """Whoever writes a template of a role calls nobody."""
    code = """
import sys
sys.modules["boto3"] = None
from xsession import RoleSpec, policies
spec = RoleSpec("Reads", trust=policies.trust("arn:aws:iam::111111111111:root"), permissions=policies.ec2_describe())
print(len(spec.to_cloudformation()) > 0, len(spec.to_terraform()) > 0)
"""
    assert run_python(code).split() == ["True", "True"]


def test_what_few_need_is_imported_when_it_is_asked_for() -> None:
    """Policies, MFA, tables, setting up roles, making grants and the like cost those nothing who do none of it."""
    code = """
import sys
from xsession import CrossAccountSession
print(*(name for name in sys.argv[1:] if f"xsession.{name}" in sys.modules))
"""
    few = {"provision", "grants", "diagnosis", "activity", "audit", "fanout", "redaction", "escape", "policies"}
    few |= {"integrations", "_default_session", "_ipython"}
    few |= {"_aws._denials", "_base._table", "refresh._status", "accounts._discovery", "accounts._files"}
    few |= {"accounts._display", "accounts._graph", "_base._notebook"}
    few |= {"serving", "accounts._names", "accounts._place", "accounts._tables", "roles._options", "_botocore._regions"}
    few |= {"stores._file", "stores._folder", "stores._keyring", "stores._locks", "stores._marks", "stores._master_key"}
    few |= {
        "_chain._account_mfa",
        "_chain._mfa_session",
        "_chain._mfa_sessions",
        "_chain._mfa_prompt",
        "_chain._web_identity",
        "_chain._token_functions",
        "_botocore._profile_session",
    }
    assert all(find_spec(f"xsession.{name}") for name in few)
    assert run_python(code, *few).strip() == ""


def test_importing_the_package_writes_no_methods() -> None:
    """Those that `dataclass` writes and compiles for a value took half of the import's time; they are for later."""
    code = """
import dataclasses, inspect, sys, xsession
from xsession import CrossAccountSession
for name, module in sorted(sys.modules.items()):
    if name.partition(".")[0] == "xsession":
        for cls in vars(module).values():
            if inspect.isclass(cls) and cls.__module__.startswith("xsession") and dataclasses.is_dataclass(cls):
                for method in vars(cls).values():
                    if inspect.isfunction(method) and method.__code__.co_filename == "<string>":
                        print(method.__qualname__)
print(dataclasses.is_dataclass(xsession.Role))
"""
    assert run_python(code) == "True\n"


def test_runtime_dependencies_are_three_with_lower_bounds() -> None:
    """A library that depends on us gets boto3, botocore and cachetools, and no upper bound."""
    assert set(lower_bounds()) == {"boto3", "botocore", "cachetools"}


def test_entry_points_exist() -> None:
    """The command and the pytest plugin that pyproject.toml announces can be loaded."""
    project = PYPROJECT["project"]
    module, _, function = project["scripts"]["xsession"].partition(":")
    assert callable(getattr(import_module(module), function))
    import_module(project["entry-points"]["pytest11"]["xsession"])


def test_the_package_is_typed() -> None:
    """Type checkers read our annotations only where PEP 561's marker is."""
    assert (ROOT / "xsession" / "py.typed").exists()


def tracked_files() -> list[str]:
    """What git tracks here; the test is skipped in an unpacked sdist, where git is missing."""
    files = tracked()
    if not files:
        pytest.skip("not a checkout")
    return files


def test_the_sdist_holds_all_that_is_tracked() -> None:
    """A distribution that packages it runs its tests and targets from there."""
    included = set(PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    always = {"/.gitignore", "/pyproject.toml"}  # hatchling's own choice
    assert {f"/{name.partition('/')[0]}" for name in tracked_files()} - included - always == set()
    assert {name for name in included if not (ROOT / name[1:]).exists()} == set()


def test_tracked_files_name_no_machine() -> None:
    """The repository works anywhere: no package registry's host and no path of one machine in it."""
    hosts = r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com"
    paths = r"(?<![\w.~<>/-])/(?:home|Users|root|work|mnt)/\w"
    wrong = []
    for name in tracked_files():
        path = ROOT / name
        if path.suffix in {".png", ".gif", ".ico", ".gz"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(f"{hosts}|{paths}", line):
                wrong.append(f"{name}:{number}: {line.strip()[:100]}")
    assert wrong == []
