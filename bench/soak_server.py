"""The other side of the soak, a process of its own: 108 accounts on the local AWS, whose STS fails as it is told to.

Prints one line of JSON with what a client needs, then answers each line of its standard input with one of JSON:
`faults <share>`, `outage <seconds>`, `counts`. Ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import product

from xsession.testing import Fault, LocalAWS

ACCOUNTS = 108
BRANCHES = 6
MOST_HOPS = 6
BATMAN = "111111111111"
# What a request signed with credentials that ended, or were never issued, is answered with.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"}
KINDS = (
    {"kind": "latency", "seconds": 0.15},
    {"kind": "error", "status": 400, "code": "Throttling"},
    {"kind": "error", "status": 500, "code": "InternalFailure"},
    {"kind": "reset"},
    {"kind": "hang"},
    {"kind": "garbage"},
)


def chains(aws: LocalAWS, accounts: int = ACCOUNTS) -> Iterator[tuple[str, list[str]]]:
    """Accounts with 1 to 6 hops each; the hubs on their way are shared: one at first, then two, then six."""
    hubs: dict[tuple[int, int], str] = {}
    branches: list[list[str]] = [[] for _ in range(BRANCHES)]
    for (level, shared), (number, branch) in product(enumerate((6, 3, 1, 1, 1)), enumerate(branches)):
        place = level, number // shared
        if place not in hubs:
            account = aws.account(f"{300_000_000_000 + level}")
            hubs[place] = account.role(f"Hub{place[1]}", trusts=branch[-1] if branch else BATMAN)
        branch.append(hubs[place])
    for number in range(accounts):
        before = branches[number % BRANCHES][: number // BRANCHES % MOST_HOPS]
        account = aws.account(f"{500_000_000_000 + number}")
        yield f"a{number}", [*before, account.role("Soak", trusts=before[-1] if before else BATMAN)]


class Tally:
    """What was asked so far, counted each second, since a list of all calls would grow for ever."""

    def __init__(self, aws: LocalAWS) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def take(self) -> dict[str, int]:
        """The counts so far."""
        with self._lock:
            calls = self._aws.calls
            self._aws.clear_calls()
            for call in calls:
                kind = "assume_role" if call.operation == "AssumeRole" else "request"
                self._counts[kind] += 1
                self._counts[f"{kind}_ok"] += call.error_code is None and call.status == 200
                self._counts["expired"] += call.error_code in EXPIRED
                self._counts["unknown"] += call.error_code in UNKNOWN
            return dict(self._counts)


def arm(aws: LocalAWS, share: float) -> None:
    """Makes this share of STS's answers fail, in all kinds alike."""
    aws.recover()
    left = 1.0
    for kind in KINDS:
        # Each is asked only where those before it did not hit.
        rate = share / len(KINDS) / left
        aws.fail(Fault(operation="AssumeRole", times=None, rate=rate, **kind))
        left -= share / len(KINDS)


def main() -> None:
    """Serves until standard input ends."""
    lifetime = float(sys.argv[1])
    with LocalAWS(lifetime=lifetime) as aws:
        accounts = dict(chains(aws))
        tally, share = Tally(aws), 0.0
        threading.Thread(target=lambda: [tally.take() for _ in iter(lambda: ended.wait(1), True)], daemon=True).start()
        print(json.dumps({"environ": aws.environ(aws.account(BATMAN).user("bruce")), "accounts": accounts}), flush=True)
        for line in sys.stdin:
            command, _, value = line.strip().partition(" ")
            if command == "faults":
                share = float(value)
                arm(aws, share)
            elif command == "outage":
                aws.recover()
                aws.fail(Fault(operation="AssumeRole", times=None, status=503, code="ServiceUnavailable"))
                ended.wait(float(value))
                arm(aws, share)
            print(json.dumps(tally.take()), flush=True)
        aws.recover()


ended = threading.Event()

if __name__ == "__main__":
    main()
