"""What a source's session was given by hand: folders of models, a loader, event handlers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.handlers
import botocore.loaders

# By the section that botocore's emitter keeps a handler in.
_REGISTER = ("register_first", "register", "register_last")
_LIBRARIES = ("boto3.", "botocore.", "xsession._botocore.")
_BOTO3_MODELS = str(Path(boto3.__file__).parent / "data")


class Given(NamedTuple):
    """A handler as it was registered."""

    event_name: str
    handler: Any
    method: str
    unique_id: str | None


def given_loader(session: Any) -> botocore.loaders.Loader | None:
    """The loader that a botocore session was given, or whose folders were; None: it is as botocore made it."""
    loader: botocore.loaders.Loader = session.get_component("data_loader")
    plain = botocore.loaders.create_loader(session.get_config_variable("data_path"))
    if type(loader) is type(plain) and _folders(loader) == _folders(plain):
        return None
    return with_boto3_models(loader)


def with_boto3_models(loader: botocore.loaders.Loader) -> botocore.loaders.Loader:
    """The loader, which has the folder of boto3's resources now, as boto3 gives it to those of its sessions."""
    if _BOTO3_MODELS not in loader.search_paths:
        loader.search_paths.append(_BOTO3_MODELS)
    return loader


def given_handlers(session: Any) -> list[Given]:
    """What was registered on a botocore session's events by other code than boto3 and botocore.

    Where the installed botocore keeps handlers in another way, none.
    """
    try:
        emitter = session.get_component("event_emitter")
        emitter = getattr(emitter, "_emitter", emitter)
        # One that shares its handlers with others has those of its own in a list.
        tree, own = getattr(emitter._handlers, "tree", emitter._handlers), getattr(emitter._handlers, "own", ())
        # Libraries such as moto add to botocore's own, which our sessions begin with.
        builtin = [entry[1] for entry in botocore.handlers.BUILTIN_HANDLERS]
        unique_ids = {id(item["handler"]): unique_id for unique_id, item in emitter._unique_id_handlers.items()}
        return [
            Given(event_name, handler, _REGISTER[section], unique_ids.get(id(handler)))
            for event_name, handler, section in (*_listed(tree._root, ""), *own)
            if not _module(handler).startswith(_LIBRARIES) and handler not in builtin
        ]
    except (AttributeError, KeyError, TypeError):
        return []


def register(handlers: list[Given], events: Any) -> None:
    """Registers them on another emitter."""
    for event_name, handler, method, unique_id in handlers:
        getattr(events, method)(event_name, handler, unique_id=unique_id)


def _folders(loader: botocore.loaders.Loader) -> list[str]:
    # boto3 adds its own to the loader of each session that it makes.
    return [path for path in loader.search_paths if path != _BOTO3_MODELS]


def _listed(node: Mapping[str, Any], event_name: str) -> Iterator[tuple[str, Any, int]]:
    for section, handlers in enumerate(node["values"] or ()):
        for handler in handlers:
            yield event_name, handler, section
    for part, child in node["children"].items():
        yield from _listed(child, f"{event_name}.{part}" if event_name else part)


def _module(handler: Any) -> str:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return str(getattr(getattr(handler, "__func__", handler), "__module__", None) or type(handler).__module__)
