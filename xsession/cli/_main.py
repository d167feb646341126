"""Where the command line begins: what must answer fast is run before click is imported."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from types import ModuleType

FAST_COMMAND = "credential-process"
_FAST_MODULE = f"{__package__}._credential_process"
_WITH_VALUE = ("--config", "--profile", "--region")
# As `ExitStatus` has them, which is not imported yet.
_NOT_INSTALLED = 1
_INTERRUPTED = 130


def main() -> int:
    """Runs the command line; what it returns is the exit status."""
    try:
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # before any command runs, which says it by itself: most of a fast one's time is that
        sys.stderr.write("xsession: interrupted\n")
        return _INTERRUPTED


def _run(arguments: list[str]) -> int:
    own = arguments_of_fast_command(arguments)
    if own is not None:
        # Too little is made for anything to be collected, and looking for it takes a tenth of the time;
        # at the end, when Python looks whether it is disabled or not, it takes another.
        gc.disable()
        atexit.register(gc.freeze)
        _import_dataclasses()
        return int(import_module(_FAST_MODULE).credential_process(own))
    try:
        import click  # noqa: F401, PLC0415 # only looked for here: it is an extra
    except ImportError:
        sys.stderr.write("xsession: the command line needs click and rich\n  pip install 'xsession[cli]'\n")
        return _NOT_INSTALLED
    from ._app import run  # noqa: PLC0415 # it imports click

    return run(arguments)


def arguments_of_fast_command(arguments: list[str]) -> list[str] | None:
    """The arguments of `credential-process`, global options among them; None: it is another command, or wants help.

    Args:
        arguments: All arguments of the program.
    """
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        place += 2 if arguments[place] in _WITH_VALUE else 1
    if arguments[place : place + 1] != [FAST_COMMAND]:
        return None
    own = [*arguments[:place], *arguments[place + 1 :]]
    return None if {"-h", "--help"} & {*own} else own


def _import_dataclasses() -> None:
    """Imports `dataclasses` without `inspect`, a tenth of a start; it has that for classes without a docstring."""
    if "dataclasses" not in sys.modules and "inspect" not in sys.modules:
        late = ModuleType("inspect")
        late.__getattr__ = lambda name: getattr(import_module("inspect"), name)  # type: ignore[method-assign] # PEP 562
        # Python 3.13 has it look up each class's annotations there.
        late.get_annotations = _own_annotations  # type: ignore[attr-defined]  # as above
        sys.modules["inspect"] = late
        try:
            import_module("dataclasses")
        finally:
            del sys.modules["inspect"]


def _own_annotations(cls: type) -> dict[str, object]:
    return {**cls.__dict__.get("__annotations__", {})}  # noqa: RUF063 # by the module that is not to be imported
