"""The code of an MFA device that a source's own profile asks for."""

from __future__ import annotations

from collections.abc import Sequence

from ._mfa_prompt import CodeUse, MfaPrompt
from ._source import Source


class SourceCode(CodeUse):
    """A code for a source: all its accounts use the session that it is spent on.

    Args:
        source: The source.
    """

    def __init__(self, source: Source) -> None:
        self.serial = source.session.mfa_serial or ""
        self.key = source.key
        self._source = source

    @property
    def is_done(self) -> bool:
        """Whether the source's credentials need none."""
        return not self._source.session.needs_code

    def check(self) -> None:
        """Refuses nothing: the profile says that it asks for a code."""

    def spend(self, code: str, /) -> None:
        """Has the profile's role assumed."""
        self._source.session.frozen(code)


class SourceMfa:
    """The MFA of an account that has its source's credentials.

    Args:
        source: The source.
        prompt: Asks for codes.
        command: The program that prints codes, where there is no function.
    """

    def __init__(self, source: Source, prompt: MfaPrompt, command: Sequence[str] | None) -> None:
        self._use = SourceCode(source)
        self._prompt = prompt
        self._command = command

    def ask(self, *, attended: bool = True) -> None:
        """Has a person asked for a code, where the source needs one.

        Args:
            attended: Whether the person at the notebook or the terminal may be asked.

        Raises:
            MfaError: No right code could be obtained.
            SourceCredentialsError: STS refused or failed.
        """
        if not self._use.is_done:
            self._prompt.ask(self._use, self._command, attended=attended)
