"""Event emitters that share the handlers which all clients have in common.

botocore copies its whole tree of handlers for each client, 90 KB. Here a client's own handlers are a short list, laid
over one tree that never changes. They run in botocore's order: the longest matching event first, an exact part before
a "*", and for one event those registered as first, in the middle, and as last.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.hooks import EventAliaser, HierarchicalEmitter, NodeList

Handler = Callable[..., Any]
# Where an event's handlers stand among those of all matching events: 0 for an exact part of its name, 1 for a "*".
Place = tuple[int, ...]

_MAX_PATTERNS = 512


class SharedHandlers:
    """The handlers that all clients of one core have.

    Args:
        emitter: The `EventAliaser` that they were registered on; copied.
    """

    def __init__(self, emitter: Any) -> None:
        copied: Any = copy.copy(emitter)
        self._emitter = copied._emitter
        self._aliases = copied._event_aliases
        self._aliased: dict[str, str] = {}
        self.tree = self._emitter._handlers
        self.root: Mapping[str, Any] = self.tree._root
        self._found: dict[str, dict[Place, NodeList]] = {}
        self._ordered: dict[str, Sequence[Handler]] = {}
        self._places: dict[str, _Places] = {}

    def emitter(self) -> EventAliaser:
        """A new emitter with these handlers, on which others can be registered."""
        emitter: Any = _Emitter()
        emitter._handlers = OverlaidHandlers(self)
        emitter._unique_id_handlers = dict(self._emitter._unique_id_handlers)
        aliaser: Any = EventAliaser(emitter, self._aliases)
        # What an event is called now is the same for all.
        aliaser._alias_name_cache = self._aliased
        return aliaser  # type: ignore[no-any-return]  # an EventAliaser, with what its stubs leave out

    def find(self, event_name: str) -> Mapping[Place, NodeList]:
        """The handlers of all events that `event_name` matches."""
        found = self._found.get(event_name)
        if found is None:
            found = self._found[event_name] = dict(_matching(self.root, event_name.split(".")))
        return found

    def places(self, event_name: str) -> Mapping[str, Place | None]:
        """Where handlers stand among those of `event_name`, by the event that they are registered for.

        Found once for all clients: they register their own handlers for the same events.
        """
        places = self._places.get(event_name)
        if places is None:
            places = self._places[event_name] = _Places(event_name)
        return places

    def ordered(self, event_name: str) -> Sequence[Handler]:
        """The handlers of `event_name` in the order in which they run."""
        ordered = self._ordered.get(event_name)
        if ordered is None:
            ordered = self._ordered[event_name] = _in_order(self.find(event_name))
        return ordered


class _Emitter(HierarchicalEmitter):
    """botocore's, with a quicker look at what is registered: half of the time that a client takes went there."""

    def _verify_accept_kwargs(self, func: Any) -> None:
        code = getattr(getattr(func, "__func__", func), "__code__", None)
        if code is None or not code.co_flags & inspect.CO_VARKEYWORDS:
            super()._verify_accept_kwargs(func)  # type: ignore[misc]  # its stubs leave it out


class OverlaidHandlers:
    """Stands in for botocore's tree of handlers in one emitter.

    Args:
        shared: The handlers that all have.
    """

    __slots__ = ("_shared", "_tree", "own")

    def __init__(self, shared: SharedHandlers) -> None:
        self._shared = shared
        self._tree: Any = None
        self.own: list[tuple[str, Handler, int]] = []

    @property
    def tree(self) -> Any:
        """botocore's tree of all handlers but those in `own`."""
        return self._shared.tree if self._tree is None else self._tree

    @property
    def untouched(self) -> bool:
        """Whether these are just the handlers that all have."""
        return self._tree is None and not self.own

    def append_item(self, key: str, value: Handler, section: int = 1) -> None:
        """Registers a handler in a section: 0 first, 1 middle, 2 last."""
        if self._tree is None:
            self.own.append((key, value, section))
        else:
            self._tree.append_item(key, value, section=section)

    def remove_item(self, key: str, value: Handler) -> None:
        """Removes a handler: one of this emitter's own, else one of those that all have, for this emitter only."""
        mine = next((entry for entry in self.own if entry[0] == key and entry[1] == value), None)
        if mine is not None:
            self.own.remove(mine)
        elif self._tree is None and _holds(self._shared.root, key, value):
            self._tree = copy.copy(self._shared.tree)
            for event_name, handler, section in self.own:
                self._tree.append_item(event_name, handler, section=section)
            self.own.clear()
        if self._tree is not None:
            self._tree.remove_item(key, value)

    def prefix_search(self, key: str) -> Sequence[Handler]:
        """The handlers of an event in the order in which they run."""
        if self._tree is not None:
            handlers: Sequence[Handler] = self._tree.prefix_search(key)
            return handlers
        places = self._shared.places(key)
        # Gone through once: another thread may register one meanwhile.
        mine = [
            (place, handler, section)
            for event_name, handler, section in self.own
            if (place := places[event_name]) is not None
        ]
        if not mine:
            return self._shared.ordered(key)
        found = {place: copy.copy(sections) for place, sections in self._shared.find(key).items()}
        for place, handler, section in mine:
            found.setdefault(place, NodeList([], [], []))[section].append(handler)
        return _in_order(found)

    def __copy__(self) -> OverlaidHandlers:
        copied = OverlaidHandlers(self._shared)
        copied._tree = copy.copy(self._tree)
        copied.own = list(self.own)
        return copied


class _Places(dict[str, "Place | None"]):
    """Finds what it is asked for the first time, and forgets all where each handler has a new event."""

    def __init__(self, event_name: str) -> None:
        super().__init__()
        self._event = event_name.split(".")

    def __missing__(self, pattern: str) -> Place | None:
        if len(self) >= _MAX_PATTERNS:
            self.clear()
        place = self[pattern] = _place(pattern.split("."), self._event)
        return place


def _place(pattern: Sequence[str], event: Sequence[str]) -> Place | None:
    if len(pattern) > len(event):
        return None
    place = []
    for wanted, part in zip(pattern, event, strict=False):
        if wanted not in (part, "*"):
            return None
        place.append(0 if wanted == part else 1)
    return tuple(place)


def _holds(root: Mapping[str, Any], key: str, value: Handler) -> bool:
    node: Mapping[str, Any] | None = root
    for part in key.split("."):
        node = None if node is None else node["children"].get(part)
    return node is not None and any(value in section for section in node["values"] or ())


def _matching(root: Mapping[str, Any], event: Sequence[str]) -> Iterator[tuple[Place, NodeList]]:
    waiting: list[tuple[Mapping[str, Any], Place]] = [(root, ())]
    while waiting:
        node, place = waiting.pop()
        if node["values"]:
            yield place, node["values"]
        if len(place) < len(event):
            for part, step in ((event[len(place)], 0), ("*", 1)):
                if part in node["children"]:
                    waiting.append((node["children"][part], (*place, step)))


def _in_order(found: Mapping[Place, NodeList]) -> Sequence[Handler]:
    # botocore walks the tree from the root, exact parts first, and puts what it finds in front of what it had found.
    return [handler for place in sorted(found, reverse=True) for section in found[place] for handler in section]
