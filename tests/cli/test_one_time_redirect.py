from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from xsession.cli._one_time_redirect import OneTimeRedirect

TARGET = "https://signin.aws.amazon.com/federation?SigninToken=hush"


def asked(
    address: str, *, method: str = "GET", path: str | None = None, host: str | None = None
) -> tuple[int, str | None]:
    """The status, and where it leads."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    connection.putrequest(method, parts.path if path is None else path, skip_host=True)
    connection.putheader("Host", parts.netloc if host is None else host)
    connection.endheaders()
    response = connection.getresponse()
    connection.close()
    assert method == "HEAD" or (response.headers["Cache-Control"], response.headers["Referrer-Policy"]) == (
        "no-store",
        "no-referrer",
    )
    return response.status, response.headers["Location"]


def test_it_leads_there_once() -> None:
    """Of many that come at once, one gets it."""
    with OneTimeRedirect(TARGET) as redirect:
        assert not redirect.wait(0)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _turn: asked(redirect.address), range(8)))
        assert redirect.wait(0)
    assert sorted(answers, key=str) == [(302, TARGET), *[(404, None)] * 7]


def test_others_do_not_use_it_up() -> None:
    """Another path, a page that leads its own name to loopback, or a look without a wish for it."""
    with OneTimeRedirect(TARGET) as redirect:
        assert asked(redirect.address, path="/") == (404, None)
        assert asked(redirect.address, path="/favicon.ico") == (404, None)
        assert asked(redirect.address, host="evil.example") == (404, None)
        assert asked(redirect.address, method="HEAD")[1] is None
        assert not redirect.wait(0)
        assert asked(redirect.address) == (302, TARGET)


def test_nothing_is_left_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    """It listens no more, and has said nothing."""
    with OneTimeRedirect(TARGET) as redirect:
        asked(redirect.address)
    with pytest.raises(ConnectionRefusedError):
        asked(redirect.address)
    assert capfd.readouterr() == ("", "")
