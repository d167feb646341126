"""Which account is reached through which: a graph of sources and roles, for Mermaid and Graphviz."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from xsession._base import frozen, shortened
from xsession.errors import ConfigError
from xsession.escape import for_terminal

from ._account import Account
from ._display import BOTO3_SESSION, source_of, steps

_MOST_NAMES = 5
_MAX_CHARACTERS = 200
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._:,()+=@/-]")


@frozen
class GraphStep:
    """A source or a role, as one of the steps to accounts.

    Args:
        words: What it is.
        before: The number of the step before; None: it is a source.
        accounts: The names of the accounts that are reached by it.
    """

    words: str
    before: int | None
    accounts: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """What stands in its box: the accounts' names, then what it is."""
        names = shortened(self.accounts, _MOST_NAMES)
        return [for_terminal(line, _MAX_CHARACTERS) for line in (names, self.words) if line]


@frozen
class AccountGraph:
    """Who is reached through whom. A notebook shows it as a diagram; printed, it is a tree.

    Accounts share the steps that their ways have in common: the source, and from there the same roles.

    Args:
        steps: The sources and roles; those before a step have lower numbers.
    """

    steps: Sequence[GraphStep]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> AccountGraph:
        """The graph of accounts."""
        numbers: dict[tuple[object, ...], int] = {}
        found: list[tuple[str, int | None, list[str]]] = []
        for account in accounts:
            way: tuple[object, ...] = ()
            for key, words in zip(_keys(account), steps(account), strict=True):
                before, way = numbers.get(way), (*way, key)
                if way not in numbers:
                    numbers[way] = len(found)
                    found.append((words, before, []))
            found[numbers[way]][2].append(account.name)
        return cls(tuple(GraphStep(words, before, tuple(names)) for words, before, names in found))

    def to_mermaid(self) -> str:
        """The diagram in Mermaid's language, which JupyterLab, GitHub and GitLab draw."""
        lines = ["flowchart LR"]
        for number, step in enumerate(self.steps):
            lines.append(f'    s{number}["{"<br/>".join(map(_for_mermaid, step.lines))}"]')
            if step.before is not None:
                lines.append(f"    s{step.before} --> s{number}")
        return "\n".join(lines)

    def to_graphviz(self) -> Any:
        """The graph as a `graphviz.Digraph`: its `source` is DOT, and it is drawn as SVG where Graphviz is installed.

        Raises:
            ConfigError: The package graphviz is missing.
        """
        try:
            graphviz = import_module("graphviz")
        except ImportError as error:
            msg = "the package graphviz is not installed"
            raise ConfigError(msg, hint="run: pip install 'xsession[notebook]'") from error
        graph = graphviz.Digraph(graph_attr={"rankdir": "LR"}, node_attr={"shape": "box"})
        for number, step in enumerate(self.steps):
            graph.node(f"s{number}", graphviz.escape("\n".join(step.lines)))
            if step.before is not None:
                graph.edge(f"s{step.before}", f"s{number}")
        return graph

    def __str__(self) -> str:
        return "\n".join(self._tree())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 # IPython's
        return {"text/vnd.mermaid": self.to_mermaid(), "text/plain": str(self)}

    def _tree(self) -> Iterator[str]:
        below: dict[int | None, list[int]] = {}
        for number, step in enumerate(self.steps):
            below.setdefault(step.before, []).append(number)
        # A stack of our own: steps stand below those before them, not below those that came after.
        waiting = [(number, 0) for number in reversed(below.get(None, []))]
        while waiting:
            number, depth = waiting.pop()
            *names, words = self.steps[number].lines
            yield "    " * depth + ": ".join([*names, words])
            waiting += [(each, depth + 1) for each in reversed(below.get(number, []))]


def _keys(account: Account) -> list[object]:
    # A profile is the same source whether it was named in code or found in a file; two boto3 sessions are two.
    source = source_of(account)
    return [account.source if source == BOTO3_SESSION else source, *(role.role_arn for role in account.roles)]


def _for_mermaid(line: str) -> str:
    return _NOT_PLAIN.sub(lambda found: f"#{ord(found[0])};", line)
