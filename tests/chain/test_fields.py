from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import URLLib3Session

from tests.support.cells import until
from tests.support.worlds import World
from xsession._chain._fields import FieldReads
from xsession.events import RefreshStarted
from xsession.testing import FakeClock, Fault, LocalAWS

KEY, SECRET, TOKEN = "access_key", "secret_key", "token"


def credentials(number: int) -> ReadOnlyCredentials:
    """The ones after so many refreshes."""
    return ReadOnlyCredentials(f"key-{number}", f"secret-{number}", f"token-{number}")


@pytest.mark.parametrize(
    "order",
    [
        [KEY, SECRET, TOKEN],
        [TOKEN, TOKEN, SECRET, KEY],
        [KEY, TOKEN, TOKEN, SECRET],
        [SECRET, KEY, TOKEN],
        [KEY, SECRET],
    ],
)
def test_fields_of_one_reading_are_of_one_moment(order: list[str]) -> None:
    """In each order that signers read them in, again and again, however often they are refreshed meanwhile."""
    reads, number = FieldReads(), 0
    for _ in range(5):
        seen = {}
        for name in order:
            number += 1
            seen[name] = reads.field(name, credentials(number), 0.0)
        assert len({value.partition("-")[2] for value in seen.values()}) == 1
        assert number - int(seen[KEY].partition("-")[2]) < len(order)


def test_one_field_alone_is_always_current() -> None:
    """And what was begun long ago is not gone on with."""
    reads = FieldReads()
    assert [reads.field(KEY, credentials(number), 0.0) for number in range(3)] == ["key-0", "key-1", "key-2"]
    assert reads.field(SECRET, credentials(3), 0.9) == "secret-2"
    assert reads.field(TOKEN, credentials(3), 1.0) == "token-3"


@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
def test_what_signs_by_itself_signs_right_over_rotations(world: World, signer: Any) -> None:
    """In threads, by frozen credentials as by the object itself; the local AWS checks each signature."""
    xs = world.session()
    own: Any = xs["vegeta"].get_credentials()
    rotated = threading.Event()

    def sign() -> None:
        http = URLLib3Session()
        while not rotated.is_set():
            for credentials in (own.get_frozen_credentials(), own):
                url = f"{world.aws.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15"
                request = AWSRequest("GET", url)
                signer(credentials, "sts", "eu-west-1").add_auth(request)
                assert http.send(request.prepare()).status_code == 200

    with ThreadPoolExecutor(16) as pool:
        signing = [pool.submit(sign) for _ in range(16)]
        for _ in range(5):
            xs.invalidate("vegeta")
            own.get_frozen_credentials()
        rotated.set()
        for thread in signing:
            thread.result()
    assert {call.error_code for call in world.aws.calls} == {None}
    assert world.aws.count("AssumeRole") >= 5


@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
def test_a_rotation_in_the_middle_of_a_signature_breaks_nothing(world: World, signer: Any) -> None:
    """Between the token and the secret, each time anew."""
    xs = world.session()

    class Rotating(signer):  # type: ignore[misc] # one of two
        def string_to_sign(self, *arguments: Any) -> Any:
            xs.invalidate("vegeta")
            return super().string_to_sign(*arguments)

    own, http = xs["vegeta"].get_credentials(), URLLib3Session()
    for _ in range(3):
        request = AWSRequest("GET", f"{world.aws.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15")
        Rotating(own, "sts", "eu-west-1").add_auth(request)
        assert http.send(request.prepare()).status_code == 200
    assert world.aws.count("AssumeRole") >= 3


def test_signing_in_a_coroutine_does_not_wait_for_a_refresh() -> None:
    """What is due is refreshed ahead, and STS, which hangs, holds up neither the signer nor the loop."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        own: Any = world.session(clock=clock)["vegeta"].get_credentials()
        first = own.get_frozen_credentials().access_key
        clock.advance(3_300)
        aws.fail(Fault(kind="hang", operation="AssumeRole", times=None))

        async def sign() -> float:
            signed, began = AWSRequest("GET", aws.endpoint_url), time.monotonic()
            SigV4Auth(own.get_frozen_credentials(), "es", "eu-west-1").add_auth(signed)
            assert f"Credential={first}/" in signed.headers["Authorization"]
            await asyncio.sleep(0)
            return time.monotonic() - began

        # Far less than STS is given; how little it is, `python -m bench.loop_block` measures.
        assert max(asyncio.run(sign()) for _ in range(20)) < 1.0
        until(lambda: len(world.events.of(RefreshStarted)) == 2)
        aws.release()
        world.close()
