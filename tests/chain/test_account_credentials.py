from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import ReadOnlyCredentials

from tests.support.cells import Bench, refusal
from xsession import AssumeRoleError, Credentials, WrongAccountError
from xsession._botocore._signing import CallerCredentials, signing_credentials
from xsession._chain._account_credentials import AccountCredentials, CellCredentials
from xsession._chain._source_credentials import SourceCredentials
from xsession.refresh import RefreshPolicy, Rejection
from xsession.refresh._cell import Cell
from xsession.refresh._failure import Label
from xsession.refresh._workers import Workers

SERVICE = ("https://sts.eu-west-1.amazonaws.com", "eu-west-1/sts")
OURS = Credentials(
    access_key_id="ASIAONE", secret_access_key="the-secret", session_token="the-token", account_id="1" * 12
)


def test_signing_credentials_show_no_secret() -> None:
    """botocore's own repr prints it."""
    signing = signing_credentials(OURS)
    assert isinstance(signing, ReadOnlyCredentials)
    assert tuple(signing)[:3] == ("ASIAONE", "the-secret", "the-token")
    assert getattr(signing, "account_id", OURS.account_id) == OURS.account_id
    assert "secret" not in f"{signing!r} {signing!s}"
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(signing)


def test_an_older_botocore_has_no_account_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 1.35 the tuple has three fields."""
    monkeypatch.setattr(ReadOnlyCredentials, "_fields", ("access_key", "secret_key", "token"))
    older = signing_credentials(OURS)
    assert older[:3] == ("ASIAONE", "the-secret", "the-token")


def cell_of(bench: Bench) -> Any:
    """A cell that publishes signing credentials."""
    return Cell(
        Label("vegeta", "arn:aws:iam::222222222222:role/R", 1),
        bench.fetch,
        signing_credentials,
        policy=RefreshPolicy(patience=0.2),
        workers=Workers(bench.clock),
        emit=bench.events,
        clock=bench.clock,
    )


@pytest.fixture
def bench() -> Bench:
    """An STS that does what the test tells it."""
    return Bench()


def test_an_accounts_credentials_are_current_at_each_read(bench: Bench) -> None:
    """As one triple, one by one, and as our own value."""
    credentials = CellCredentials("vegeta", cell_of(bench))
    assert isinstance(credentials, BotocoreCredentials)
    first = credentials.get_frozen_credentials()
    assert credentials.get_frozen_credentials() is first
    assert (credentials.access_key, credentials.secret_key, credentials.token) == tuple(first)[:3]
    assert credentials.current().access_key_id == first.access_key
    bench.clock.advance(11)
    assert credentials.rejected(Rejection(str(first.access_key), SERVICE)) == 0.0
    assert credentials.get_frozen_credentials().access_key != first.access_key
    assert repr(credentials) == "CellCredentials('vegeta')"


def test_errors_name_the_account_that_asked(bench: Bench) -> None:
    """A hop may serve many."""
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    cell = cell_of(bench)
    for account in ("vegeta", "other"):
        credentials = CellCredentials(account, cell)
        for ask in (credentials.get_frozen_credentials, credentials.current):
            with pytest.raises(AssumeRoleError) as caught:
                ask()
            assert caught.value.account == account


def test_a_plain_accounts_credentials_object_must_say_what_it_is() -> None:
    """The base knows neither how to read nor how to replace."""
    base = AccountCredentials("vegeta")
    rejection = Rejection("ASIA", SERVICE)
    asks = (base.current, base.issue, lambda: base.rejections, lambda: base.rejected(rejection))
    for ask in (*asks, lambda: base.accepted(SERVICE)):
        with pytest.raises(NotImplementedError):
            ask()


class OneSource:
    """A source with a key that can change."""

    def __init__(self) -> None:
        self.key = "AKIAONE"
        self.rejections: list[str] = []

    def own(self) -> ReadOnlyCredentials:
        """The current one."""
        return ReadOnlyCredentials(self.key, "s", None)

    def rejected(self, access_key_id: str) -> bool:
        """Records it."""
        self.rejections.append(access_key_id)
        return True


def test_a_signal_handler_may_come_in_while_a_sources_rejection_is_noted() -> None:
    """Its own requests with these credentials are rejected or accepted, too."""
    source: Any = OneSource()
    credentials = SourceCredentials("own", source, None)
    told: list[float | None] = []

    def interrupted() -> None:
        with credentials._lock:
            told.append(credentials.rejected(Rejection("AKIAONE", SERVICE)))
            credentials.accepted(SERVICE)

    main = threading.Thread(target=interrupted, daemon=True)
    main.start()
    main.join(10)
    assert (told, credentials.rejections.rejected) == ([0.0], ())


def test_a_sources_credentials_are_checked_once_for_each_key() -> None:
    """The account that they belong to can only change with the key."""
    source: Any = OneSource()
    checked: list[str] = []
    credentials = SourceCredentials("own", source, lambda frozen: checked.append(str(frozen.access_key)))
    for key in ("AKIAONE", "AKIAONE", "AKIATWO", "AKIATWO"):
        source.key = key
        assert credentials.get_frozen_credentials().access_key == key
    assert checked == ["AKIAONE", "AKIATWO"]
    assert credentials.current().access_key_id == "AKIATWO"
    assert credentials.rejected(Rejection("AKIATWO", SERVICE)) == 0.0
    assert source.rejections == ["AKIATWO"]


def test_an_endpoint_that_rejects_a_sources_keys_one_after_the_other_is_left_alone() -> None:
    """Until it accepts one."""
    source: Any = OneSource()
    credentials = SourceCredentials("own", source, None)
    for key, delay in (("AKIAONE", 0.0), ("AKIATWO", None), ("AKIATHREE", None)):
        source.key = key
        assert credentials.rejected(Rejection(key, SERVICE)) == delay
    assert source.rejections == ["AKIAONE"]
    credentials.accepted(SERVICE)
    assert credentials.rejected(Rejection("AKIATHREE", SERVICE)) == 0.0


def test_a_source_may_be_asked_for_others_again_and_again() -> None:
    """It costs no call of STS, and somebody may just have logged in."""
    source: Any = OneSource()
    credentials = SourceCredentials("own", source, None)
    assert [credentials.rejected(Rejection("AKIAONE", SERVICE)) for _ in range(3)] == [0.0] * 3
    assert not credentials.rejections.gave_up(SERVICE)


def test_what_an_issue_stands_for_changes_with_the_key_and_when_it_is_renewed() -> None:
    """So that what was made of it is made again."""
    source: Any = OneSource()
    credentials = SourceCredentials("own", source, None)
    first = credentials.issue()
    assert credentials.issue() is first
    source.key = "AKIATWO"
    second = credentials.issue()
    credentials.renew()
    third = credentials.issue()
    assert len({id(issue) for issue in (first, second, third)}) == 3


def test_what_one_answer_of_sts_brought_is_an_issue(bench: Bench) -> None:
    """Even where STS answers with the same key again."""
    credentials = CellCredentials("vegeta", cell_of(bench))
    first = credentials.issue()
    assert credentials.issue() is first
    bench_cell: Any = credentials._cell
    bench_cell.invalidate()
    assert credentials.issue() is not first


def test_credentials_of_another_account_are_never_handed_out() -> None:
    """Nor is the check passed by asking again."""
    asked = []

    def check(frozen: ReadOnlyCredentials) -> None:
        asked.append(frozen)
        msg = "credentials are for another account"
        raise WrongAccountError(msg)

    source: Any = OneSource()
    credentials = SourceCredentials("own", source, check)
    for _ in range(2):
        with pytest.raises(WrongAccountError) as caught:
            credentials.get_frozen_credentials()
        assert caught.value.account == "own"
    assert len(asked) == 2


def test_a_call_signs_with_its_own_threads_caller() -> None:
    """And outside of a block with none."""
    caller, seen = CallerCredentials(), {}
    barrier = threading.Barrier(2)

    def call(key: str) -> None:
        with caller.of(ReadOnlyCredentials(key, "s", None)):
            barrier.wait()
            seen[key] = caller.access_key

    threads = [threading.Thread(target=call, args=[key]) for key in ("AKIAONE", "AKIATWO")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"AKIAONE": "AKIAONE", "AKIATWO": "AKIATWO"}
    with pytest.raises(AttributeError):
        caller.get_frozen_credentials()


def test_without_a_wait_there_is_what_is_held(bench: Bench) -> None:
    """Nothing at first, and what the refresh brings after that."""
    credentials = CellCredentials("vegeta", cell_of(bench))
    assert credentials.held() is None
    assert credentials.unattended().access_key_id == "ASIA1"
    held = credentials.held()
    assert held is not None
    assert held.access_key_id == "ASIA1"


def test_an_error_without_a_person_names_the_account(bench: Bench) -> None:
    """As that of any other read."""
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    credentials = CellCredentials("vegeta", cell_of(bench))
    with pytest.raises(AssumeRoleError) as caught:
        credentials.unattended()
    assert caught.value.account == "vegeta"


class Asking:
    """The MFA of an account, which notes that it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self) -> None:
        """Asks."""
        self.asked += 1


def test_without_a_person_no_code_is_asked_for(bench: Bench) -> None:
    """Neither for a chain nor for a source."""
    mfa: Any = Asking()
    chained = CellCredentials("vegeta", cell_of(bench), mfa)
    chained.unattended()
    chained.held()
    source: Any = GivenSource()
    own = SourceCredentials("batman", source, None, mfa)
    assert own.unattended().access_key_id == "AKIAONE"
    assert own.held() is None
    assert mfa.asked == 0
    own.current()
    assert mfa.asked == 1


class GivenSource:
    """A source with keys."""

    def own(self) -> ReadOnlyCredentials:
        """They."""
        return ReadOnlyCredentials("AKIAONE", "the-secret", None)
