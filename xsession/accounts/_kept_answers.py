"""Short answers of AWS that are kept on disk, each with its age; without a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from xsession._base import frozen

from ._own_files import OwnFiles, moment_of

_FORMAT = 1
_MAX_BYTES = 8 * 1024 * 1024  # 10,000 accounts with four permission sets have 1 MB


@frozen
class KeptAnswer:
    """What AWS has said.

    Args:
        value: As JSON has it.
        read_at: When, in seconds since 1970.
    """

    value: Any
    read_at: float


class KeptAnswers:
    """This user's answers of one kind.

    Args:
        files: Where they are; None: the user has no home, and nothing is kept.
    """

    def __init__(self, files: OwnFiles | None) -> None:
        self._files = files

    @classmethod
    def named_by(cls, environ: Mapping[str, str], kind: str) -> KeptAnswers:
        """Those of the user whom an environment names.

        Args:
            environ: The process's environment variables.
            kind: The name of their folder.
        """
        return cls(OwnFiles.named_by(environ, kind, _MAX_BYTES))

    def find(self, name: str, asked: str) -> KeptAnswer | None:
        """What was said last; None: nothing is kept, nothing that this user has written, or the answer of another.

        Args:
            name: The name of what it is about, as a file may have it.
            asked: Who was asked.
        """
        data = None if self._files is None else self._files.read(f"{name}.json")
        try:
            found = None if data is None else json.loads(data)
            if found is None or (found["format"], found["asked"]) != (_FORMAT, asked):
                return None
            return KeptAnswer(found["value"], moment_of(found["read_at"]))
        except (ValueError, LookupError, TypeError, RecursionError):
            return None

    def keep(self, name: str, asked: str, answer: KeptAnswer) -> None:
        """Keeps what was said.

        Raises:
            ConfigError: The user's folder can't be written to.
        """
        if self._files is not None:
            document = {"format": _FORMAT, "asked": asked, "read_at": answer.read_at, "value": answer.value}
            self._files.write(f"{name}.json", json.dumps(document, separators=(",", ":")).encode())
