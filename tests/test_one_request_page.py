from __future__ import annotations

import importlib
import inspect
import re

from tools.project import ROOT
from tools.structure import Structure

PAGE = (ROOT / "docs" / "explanation" / "one-request.md").read_text(encoding="utf-8")
# Of AWS; and a folder.
NOT_OURS = {"GetSessionToken", "xsession/"}


def named() -> list[str]:
    """What the page has in backticks, once each."""
    return sorted(set(re.findall(r"`([^`\n]+)`", PAGE)) - NOT_OURS)


def defined() -> dict[str, object]:
    """The classes and functions of all modules, by name."""
    found: dict[str, object] = {}
    edges = ("xsession.testing", "xsession.__main__", "xsession.integrations")
    for module, path in Structure().modules.items():
        if path.suffix == ".py" and not module.startswith(edges):
            for name, value in vars(importlib.import_module(module)).items():
                if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("xsession"):
                    found.setdefault(name, value)
    return found


def missing(names: list[str], known: dict[str, object]) -> list[str]:
    """Those that there are not: a module's path, a class or function, or a member of a class."""
    gone = []
    for name in names:
        owner, _, member = name.partition(".")
        if name.endswith(".py"):
            there = (ROOT / "xsession" / name).exists()
        elif member:
            there = owner in known and (hasattr(known[owner], member) or member in _slots(known[owner]))
        else:
            there = name in known or (ROOT / "xsession" / name).is_dir()
        if not there:
            gone.append(name)
    return gone


def _slots(cls: object) -> tuple[str, ...]:
    return tuple(getattr(cls, "__slots__", ()))


def test_the_walk_of_one_request_names_what_there_is() -> None:
    """A contributor finds each name of the page in the code."""
    names = named()
    assert len(names) > 40
    assert missing(names, defined()) == []


def test_a_name_that_is_gone_is_found() -> None:
    """Or the test above would show nothing."""
    names = ["Cell.no_such_method", "NoSuchClass", "refresh/_no_such_file.py", "NoSuchClass.look", "Cell.look", "_sts"]
    assert missing(names, defined()) == names[:4]
