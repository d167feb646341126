"""What a diagnosis says: hop by hop, with the causes of a refusal and what to do about each."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Any

from xsession._base import frozen, public
from xsession.escape import for_html, for_terminal
from xsession.policies import Policy

# More than any line of a policy within AWS's limits.
_MAX_LINE = 16_384


@public
class HopState(enum.Enum):
    """How a hop stands."""

    OK = "ok"
    REFUSED = "refused"
    # The first role takes a token of its own.
    NOT_NEEDED = "not needed"
    # A hop before it is refused, so there is nothing to ask for it with.
    NOT_TRIED = "not tried"


@frozen(kw_only=True)
class Cause:
    """Why a hop is refused, or may be.

    Args:
        kind: One word for programs, such as "not-trusted" or "external-id-missing".
        message: What is wrong.
        hint: What to do.
        certain: Whether AWS's words or the policies themselves say so; else it is one of several possible causes.
        policy: The statements to add, where that is what to do.
        arn: The role or user whose policies they belong to; or the policy that denies, where AWS names it.
    """

    kind: str
    message: str
    hint: str
    certain: bool = False
    policy: Policy | None = None
    arn: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The cause as JSON has it."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "certain": self.certain,
            "policy": None if self.policy is None else self.policy.to_dict(),
            "arn": self.arn,
        }


@frozen(kw_only=True)
class HopDiagnosis:
    """One hop of a chain, or its source.

    Args:
        hop: Its place, counted from 1; 0 is the source.
        role_arn: The role; None: it is the source.
        state: How it stands.
        arn: Who we are after it, where it is ok.
        code: AWS's error code.
        request_id: AWS's request id.
        message: AWS's words, or what else went wrong.
        causes: Why it is refused: what is certain first, then what is likely.
        notes: What could not be looked at, and why.
    """

    hop: int
    role_arn: str | None = None
    state: HopState
    arn: str | None = None
    code: str | None = None
    request_id: str | None = None
    message: str | None = None
    causes: Sequence[Cause] = ()
    notes: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether it works."""
        return self.state in (HopState.OK, HopState.NOT_NEEDED)

    def to_dict(self) -> dict[str, Any]:
        """The hop as JSON has it."""
        return {
            "hop": self.hop,
            "role_arn": self.role_arn,
            "state": self.state.value,
            "arn": self.arn,
            "code": self.code,
            "request_id": self.request_id,
            "message": self.message,
            "causes": [cause.to_dict() for cause in self.causes],
            "notes": list(self.notes),
        }


@frozen(kw_only=True)
class Diagnosis:
    """Whether an account can be reached, and if not, which hop fails, why, and what to change. Prints as a tree.

    Args:
        account: The account's name.
        hops: The source, then each role of the chain.
    """

    account: str
    hops: Sequence[HopDiagnosis]

    @property
    def ok(self) -> bool:
        """Whether every hop works."""
        return all(hop.ok for hop in self.hops)

    @property
    def failed(self) -> HopDiagnosis | None:
        """The first hop that does not work."""
        return next((hop for hop in self.hops if not hop.ok), None)

    @property
    def hint(self) -> str | None:
        """What to do first; None: nothing is wrong."""
        failed = self.failed
        return failed.causes[0].hint if failed is not None and failed.causes else None

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON has it."""
        return {
            "account": self.account,
            "ok": self.ok,
            "hint": self.hint,
            "hops": [hop.to_dict() for hop in self.hops],
        }

    def __str__(self) -> str:
        return "\n".join(for_terminal(line, _MAX_LINE) for line in self._lines())

    def _repr_html_(self) -> str:
        # The classes keep a notebook's MathJax from reading dollar signs as formulas.
        lines = "\n".join(for_html(line, _MAX_LINE) for line in self._lines())
        return f'<pre class="tex2jax_ignore mathjax_ignore">{lines}</pre>'

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _lines(self) -> Iterator[str]:
        failed = self.failed
        verdict = "ok" if failed is None else f"refused at {_place(failed)}"
        yield f"{self.account}: {verdict}"
        for hop in self.hops:
            last = hop is self.hops[-1]
            yield f"{'`-- ' if last else '|-- '}{_title(hop)}"
            yield from (f"{'    ' if last else '|   '}{line}".rstrip() for line in _below(hop))


def _place(hop: HopDiagnosis) -> str:
    return f"hop {hop.hop}" if hop.hop else "the source"


def _title(hop: HopDiagnosis) -> str:
    name = f"hop {hop.hop}  {hop.role_arn}" if hop.hop else "source"
    state = hop.state.value if hop.code is None else f"{hop.state.value}: {hop.code}"
    shown = f"{name}  {state}"
    if hop.arn is not None:
        shown += f", as {hop.arn}"
    return shown if hop.request_id is None else f"{shown} (request id {hop.request_id})"


def _below(hop: HopDiagnosis) -> Iterator[str]:
    if hop.message is not None:
        yield hop.message
    for cause in hop.causes:
        yield f"{'cause' if cause.certain else 'possible cause'}: {cause.message}"
        yield f"    {cause.hint}"
        if cause.policy is not None:
            # What is only possible stays short.
            document = cause.policy.to_json(indent=2 if cause.certain else None)
            yield from (f"    {line}" for line in document.splitlines())
    yield from (f"note: {note}" for note in hop.notes)
