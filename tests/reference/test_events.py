from __future__ import annotations

import inspect
import re
from dataclasses import fields

import pytest

from tests.support.reference import PAGES, rows
from xsession import events

KINDS = [kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, events.Event)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not events.Event])
def test_every_event_says_when_it_comes_and_what_the_log_makes_of_it(kind: type[events.Event]) -> None:
    """In a row of its own; the level is that of `LoggingHook`."""
    when, level = rows(PAGES["events.md"])[kind.__name__]
    assert when
    logged = {"WARNING": events.LoggingHook._WARNINGS, "INFO": events.LoggingHook._NOTICES}
    assert level == next((name for name, kinds in logged.items() if issubclass(kind, kinds)), "DEBUG")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_an_event_is_explained(kind: type[events.Event]) -> None:
    """In its docstring, which the page shows."""
    own = {item.name for item in fields(kind)} - (
        {item.name for item in fields(events.Event)} if kind is not events.Event else set()
    )
    described = re.findall(r"^ {4}(\w+): ", inspect.getdoc(kind) or "", re.MULTILINE)
    assert sorted(described) == sorted(own)


def test_no_event_is_listed_that_does_not_exist() -> None:
    """Each name with a level is one."""
    listed = {name for name, cells in rows(PAGES["events.md"]).items() if cells[-1] in {"DEBUG", "INFO", "WARNING"}}
    assert listed == {kind.__name__ for kind in KINDS} - {"Event"}
