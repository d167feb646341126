from __future__ import annotations

import functools
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter, OrderedDict, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_values import HOSTILE, FailingError
from tests.support.programs import run_python
from tests.support.runs import run
from tests.support.worlds import VEGETA, World
from xsession import Credentials, Outcome
from xsession.errors import ChangedFunctionWarning, ConfigError, JournalError
from xsession.fanout import Unit, read_journal
from xsession.fanout._journal import Journal
from xsession.fanout._journal_format import (
    MAX_VALUE_BYTES,
    Header,
    NotJSONError,
    arguments_digest,
    code_digest,
    from_line,
    function_name,
    outcome_document,
    outcome_of,
    plain,
    to_line,
)
from xsession.fanout._plan import Plan

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HEADER = Header(principal="arn:aws:iam::111111111111:user/bruce", function="m.f", code="c", arguments="a", started=NOW)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def opened(path: Path, header: Header = HEADER, **options: Any) -> Journal:
    """A journal, an hour after its beginning."""
    return Journal(
        path,
        header,
        **{"max_age": timedelta(hours=24), "retry_failed": True, "wall": lambda: NOW.timestamp() + 3_600, **options},
    )


def unit(number: int) -> Unit:
    """The unit of an account."""
    return Unit(f"a{number}", None, (number, 0))


def written(path: Path, number: int = 3) -> list[Outcome[Any]]:
    """A journal with so many outcomes."""
    outcomes = [Outcome(f"a{one}", {"n": one}, None, 0.5) for one in range(number)]
    journal = opened(path)
    for outcome, one in zip(outcomes, range(number), strict=True):
        journal.write(unit(one), outcome)
    journal.close()
    return outcomes


def known(path: Path, number: int = 3, **options: Any) -> list[int]:
    """Which units need not be done again."""
    journal = opened(path, **options)
    found = [one for one in range(number) if journal.outcome(unit(one)) is not None]
    journal.close()
    return found


@given(JSON)
def test_a_value_is_read_as_it_was_written(value: Any) -> None:
    """Every one that JSON has a form for."""
    line = to_line(outcome_document(Outcome("a", value, None, 0.1), NOW))
    assert line.endswith(b"\n")
    document = from_line(line)
    assert document is not None
    found = outcome_of(document)
    assert found is not None
    assert (found.value, found.status, found.notes) == (value, "ok", ("from the journal",))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (defaultdict(list, a=[(1,)]), {"a": [[1]]}),
        ([OrderedDict(b=1, a=2)], [{"b": 1, "a": 2}]),
    ],
)
def test_the_librarys_own_mappings_are_dicts(value: Any, read: Any) -> None:
    """An inventory is often made of them."""
    assert plain(value) == read


@pytest.mark.parametrize(
    ("value", "words"), [({1: "a"}, "keys that are not strings"), (float("inf"), "NaN and infinity"), (b"", "a bytes")]
)
def test_why_a_value_is_left_out_is_said(value: Any, words: str) -> None:
    """So that it can be returned otherwise."""
    with pytest.raises(NotJSONError, match=f"JSON has no form for {words}"):
        plain([value])


@pytest.mark.parametrize("seconds", ["abc", [1], {}, None, -1, 10**400, float("nan"), float("inf"), True])
def test_a_record_of_another_writer_is_read_or_is_none(seconds: Any) -> None:
    """Whatever it says: nothing is raised."""
    strange: dict[str, Any] = {"account": "a", "region": None, "status": "ok", "value": 1, "phase": [], "category": {}}
    found = outcome_of({**strange, "seconds": seconds, "error": {"type": "X"}})
    assert found is not None
    assert (found.ok, found.error, found.phase, found.category) == (True, None, "call", None)
    assert 0 <= found.seconds <= 1
    statuses: list[Any] = [[], {}, None, "done"]
    assert [outcome_of({**strange, "status": status}) for status in statuses] == [None] * 4


TANGLE: Any = []
"""Few lists, each of which holds the one before it twice."""
for _ in range(60):
    TANGLE = [TANGLE, TANGLE]


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, b"x", NOW, float("nan"), float("inf"), {1: "a"}, [object()], "x" * MAX_VALUE_BYTES, ["é" * 400_000],
        ["x" * 1_000] * 2_000, [10**5_000], TANGLE,
    ],
)  # fmt: skip
def test_what_json_has_no_form_for_is_recorded_as_done(value: Any) -> None:
    """Without the value, and the outcome says so; 200 MB are not written out first."""
    with pytest.raises(NotJSONError):
        plain(value)
    document = from_line(to_line(outcome_document(Outcome("a", value, None, 0.1), NOW)))
    assert document is not None
    found = outcome_of(document)
    assert found is not None
    assert (found.ok, found.value) == (True, None)
    assert found.notes[1].startswith("without its value: ")


@given(st.binary(), st.integers(0), st.integers(0, 255))
def test_no_other_line_is_a_record(noise: bytes, place: int, byte: int) -> None:
    """Not noise, and not a record in which one byte is another."""
    assert from_line(noise) is None
    line = bytearray(to_line({"account": "a", "status": "ok", "value": "some"}))
    place %= len(line) - 1
    if line[place] != byte:
        line[place] = byte
        changed = from_line(bytes(line))
        assert changed is None or changed == {"account": "a", "status": "ok", "value": "some"}


def test_errors_are_redacted_and_cut() -> None:
    """They come from anywhere."""
    error = ValueError("SecretAccessKey=wJalrXUtnFEMI " + "x" * 10_000)
    line = to_line(outcome_document(Outcome("a", None, error, 0.1, (), "eu-west-1", "call", "bug"), NOW))
    assert b"wJalr" not in line
    assert len(line) < 5_000
    document = from_line(line)
    assert document is not None
    found = outcome_of(document)
    assert found is not None
    assert (found.status, found.category, found.region, found.phase) == ("failed", "bug", "eu-west-1", "call")


def test_the_next_run_does_the_rest(tmp_path: Path) -> None:
    """What is ok or skipped is known; what failed is done again, unless it should be left."""
    path = tmp_path / "scan.jsonl"
    written(path)
    journal = opened(path)
    journal.write(unit(3), Outcome("a3", None, ValueError("x"), 0.1, (), None, "call", "bug"))
    journal.write(unit(4), Outcome("a4", None, ValueError("x"), 0.1, (), None, "call", "region_off", skipped=True))
    journal.close()
    assert known(path, 6) == [0, 1, 2, 4]
    assert known(path, 6, retry_failed=False) == [0, 1, 2, 3, 4]


def test_the_newest_counts(tmp_path: Path) -> None:
    """Each unit once, however often it was done."""
    path = tmp_path / "scan.jsonl"
    written(path)
    journal = opened(path)
    journal.write(unit(1), Outcome("a1", "newer", None, 0.1))
    found = journal.outcome(unit(1))
    assert found is None or found.value != "newer"
    journal.close()
    outcomes = read_journal(path)
    assert list(outcomes) == ["a0", "a1", "a2"]
    assert outcomes["a1"].value == "newer"
    assert [row["account"] for row in outcomes.to_rows()] == ["a0", "a1", "a2"]


def test_cut_at_any_byte_all_earlier_units_are_kept(tmp_path: Path) -> None:
    """That one is done again, and what is written afterwards stands in a line of its own."""
    path = tmp_path / "scan.jsonl"
    written(path)
    whole = path.read_bytes()
    begin = whole[:-1].rindex(b"\n") + 1
    for end in range(begin, len(whole)):
        path.write_bytes(whole[:end])
        complete = end == len(whole) - 1  # but for the newline
        assert known(path) == ([0, 1, 2] if complete else [0, 1])
        journal = opened(path)
        journal.write(unit(2), Outcome("a2", "again", None, 0.1))
        journal.close()
        assert known(path) == [0, 1, 2]
        assert read_journal(path)["a2"].value == "again"


def test_cut_within_its_header_a_journal_begins_again(tmp_path: Path) -> None:
    """Nothing was done by then."""
    path = tmp_path / "scan.jsonl"
    opened(path).close()
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        opened(path).close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [
        b"garbage", b"\0" * 50, b"[]", b"{}", b"null", b'"x"', b'{"account":"a1","status":"ok","value":1}',
        to_line({"foreign": 1}).rstrip(), to_line({"account": 7, "status": "ok"}).rstrip(),
        to_line({"account": "a1", "status": "ok"}).rstrip(), b"x" * 3_000_000,
    ],
)  # fmt: skip
def test_a_damaged_line_in_the_middle_is_told_once(
    tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Its unit is done again, and the others are kept."""
    path = tmp_path / "scan.jsonl"
    written(path)
    lines = path.read_bytes().splitlines()
    lines[2] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    with caplog.at_level(logging.WARNING, "xsession"):
        assert known(path) == [0, 2]
    assert [record.getMessage() for record in caplog.records] == [
        f"journal {path}: damaged lines 3; their calls are made again"
    ]


@pytest.mark.parametrize("content", [b"my notes", b"a,b\n1,2\n", b'{"xsession_journal":1,"x":2}\n', b"[]\n"])
def test_another_file_is_not_written_to(tmp_path: Path, content: bytes) -> None:
    """It stays as it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="is not a journal"):
        opened(path)
    assert path.read_bytes() == content
    with pytest.raises(JournalError, match="is not a journal"):
        read_journal(path)


def test_it_is_the_users_alone(tmp_path: Path) -> None:
    """Mode 0600, no link, no file with another name."""
    path, link = tmp_path / "scan.jsonl", tmp_path / "link"
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    link.symlink_to(path)
    with pytest.raises(JournalError, match="symbolic link"):
        opened(link)
    os.link(path, tmp_path / "other")
    with pytest.raises(JournalError, match="has 2 names"):
        opened(path)
    os.mkfifo(tmp_path / "pipe")
    for other in ("none", ".", "pipe"):
        with pytest.raises(JournalError, match=r"can't be read: ([A-Z]|.*seek)"):
            read_journal(tmp_path / other)
    for wrong in ("", "a\0b", 5):
        with pytest.raises(ConfigError, match="journal"):
            read_journal(wrong)  # type: ignore[arg-type]  # one of them is none


def test_a_second_run_is_refused_while_the_first_one_has_it(tmp_path: Path) -> None:
    """In this process and in any other; a child of the first one does not keep it."""
    path = tmp_path / "scan.jsonl"
    journal = opened(path)
    with pytest.raises(JournalError, match="is in use by another run"):
        opened(path)
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        journal.close()
        opened(path).close()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("field", ["principal", "function", "arguments"])
def test_what_is_of_another_run_is_refused(tmp_path: Path, field: str) -> None:
    """Another principal might see other things, other arguments ask for them."""
    path = tmp_path / "scan.jsonl"
    written(path)
    with pytest.raises(JournalError, match=f"is of .*{field}.*; choose another file"):
        opened(path, replace(HEADER, **{field: "other"}))  # type: ignore[arg-type]  # a field that is a string
    opened(path).close()


def test_a_changed_function_is_a_warning(tmp_path: Path) -> None:
    """What was done is the old code's."""
    path = tmp_path / "scan.jsonl"
    written(path)
    with pytest.warns(ChangedFunctionWarning, match=r"m\.f has changed"):
        opened(path, replace(HEADER, code="other")).close()


def test_an_old_journal_names_the_way_on(tmp_path: Path) -> None:
    """By its own beginning; whoever wants to goes on with it."""
    path = tmp_path / "scan.jsonl"
    written(path)
    with pytest.raises(JournalError, match=r"is from 2030-01-01 00:00:00 UTC, older than .*journal_max_age=None"):
        opened(path, max_age=timedelta(minutes=59))
    assert known(path, max_age=None) == [0, 1, 2]


def test_a_finished_journal_is_no_silent_nothing(tmp_path: Path) -> None:
    """It is an error that names the way on; one more account, and there is something to do."""
    path = tmp_path / "scan.jsonl"
    journal = opened(path)
    journal.check_unfinished(Plan([]))
    journal.close()
    written(path)
    journal = opened(path)
    journal.check_unfinished(Plan(["a0", "a1", "a2", "a3"]))
    with pytest.raises(JournalError, match=r"is finished: all of its 3 calls are done; read it with"):
        journal.check_unfinished(Plan(["a0", "a1", "a2"]))
    journal.close()


def test_regions_of_accounts_are_kept(tmp_path: Path) -> None:
    """The next run asks nobody for them, and knows what is left."""
    path = tmp_path / "scan.jsonl"
    journal = opened(path)
    journal.write(unit(0), Outcome("a0", None, ValueError("x"), 0.1, (), None, "select", "throttled"))
    journal.selected("a0", ("eu-west-1", "us-east-1"))
    journal.write(unit(0), Outcome("a0", 1, None, 0.1, (), "eu-west-1"))
    journal.close()
    journal = opened(path)
    assert journal.regions("a0") == ("eu-west-1", "us-east-1")
    assert journal.regions("a1") is None
    journal.check_unfinished(Plan(["a0"], "enabled"))
    journal.write(unit(0), Outcome("a0", 1, None, 0.1, (), "us-east-1"))
    journal.close()
    journal = opened(path)
    with pytest.raises(JournalError, match="is finished"):
        journal.check_unfinished(Plan(["a0"], "enabled"))
    journal.close()
    assert list(read_journal(path)) == [("a0", "eu-west-1"), ("a0", "us-east-1")]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_whose_own_code_fails_is_recorded_as_done(tmp_path: Path, name: str) -> None:
    """Without it: nothing comes out of the loop, and the next run has nothing to do again."""
    journal = opened(tmp_path / "scan.jsonl")
    outcomes = list(run(lambda _unit: HOSTILE[name], 2, record=journal))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    (first, _) = read_journal(journal.path).values()
    assert (first.status, first.value) == ("ok", None)
    assert first.notes[1].startswith("without its value: ")
    assert known(tmp_path / "scan.jsonl", 2) == [0, 1]


def test_a_lone_surrogate_is_a_value_as_any_other(tmp_path: Path) -> None:
    """JSON has a form for it."""
    journal = opened(tmp_path / "scan.jsonl")
    assert run(lambda _unit: "\ud800", 1, record=journal).collect().ok
    assert read_journal(journal.path).results == {"a0": "\ud800"}


def test_an_error_whose_own_code_fails_is_recorded_as_one(tmp_path: Path) -> None:
    """It ends no thread and no run."""

    def work(_unit: Unit) -> None:
        raise FailingError

    journal = opened(tmp_path / "scan.jsonl")
    outcomes = run(work, 2, record=journal, stop_after=1.0).collect()
    assert [outcome.category for outcome in outcomes.values()] == ["bug", "bug"]
    assert "FailingError" in str(read_journal(journal.path)["a0"].error)


def test_credentials_are_refused(tmp_path: Path) -> None:
    """However deep they lie; not a byte of them is written."""
    path = tmp_path / "scan.jsonl"
    journal = opened(path)
    keys = Credentials(access_key_id="AKIA", secret_access_key="wJalrXUtnFEMI")
    outcome = journal.write(unit(0), Outcome("a0", {"all": [(keys,)]}, None, 0.1))
    journal.close()
    assert outcome.status == "failed"
    assert "credentials, which a journal does not take" in str(outcome.error)
    assert b"wJalr" not in path.read_bytes()


def test_a_function_needs_a_name() -> None:
    """A lambda has none, and neither has a partial."""
    assert function_name(test_a_function_needs_a_name, None).endswith("test_journal.test_a_function_needs_a_name")
    assert function_name(lambda: 1, "mine") == "mine"
    for func in (lambda: 1, functools.partial(print)):
        with pytest.raises(ConfigError, match="journal_key"):
            function_name(func, None)
    with pytest.raises(ConfigError, match="journal_key"):
        function_name(print, "")


def test_a_digest_of_code_and_arguments() -> None:
    """The same in every process, whatever the order; another one once something is another."""
    one, same, other = (
        compile(f"def f(): return {body}", "x", "exec") for body in ("{1: lambda: 2}", "{1: lambda: 2}", "3")
    )
    made: list[Any] = []
    for code in (one, same, other):
        names: dict[str, Any] = {}
        exec(code, names)  # noqa: S102 # two functions that are alike
        made.append(names["f"])
    assert code_digest(made[0]) == code_digest(made[1]) != code_digest(made[2])
    assert code_digest(print) == ""
    assert arguments_digest({"a": 1, "b": [2]}) == arguments_digest({"b": [2], "a": 1}) != arguments_digest({"a": 2})
    with pytest.raises(ConfigError, match=r"arguments\['a'\].*JSON has no form for a set"):
        arguments_digest({"a": {1}})


def test_what_a_function_is_bound_to_is_part_of_its_code() -> None:
    """Its defaults, and what it closes over: a decorator's function too."""

    def made(days: int, inner: Any = None) -> Any:
        def scan(_session: Any, since: int = days) -> Any:
            return inner, since

        return scan

    assert code_digest(made(1)) == code_digest(made(1)) != code_digest(made(2))
    assert code_digest(made(1, lambda: 1)) == code_digest(made(1, lambda: 1)) != code_digest(made(1, lambda: 2))


def test_a_digest_of_code_is_the_same_in_every_process() -> None:
    """The order of a set is not."""
    program = (
        "from xsession.fanout._journal_format import code_digest\n"
        "def f(x): return x in {'a', 'b', 'c', 'd'}\n"
        "print(code_digest(f))"
    )
    assert len({run_python(program) for _ in range(4)}) == 1


def test_another_account_of_the_same_name_is_not_done(tmp_path: Path) -> None:
    """What came of the first one is not told of it; its regions are not its own either."""
    path, outcome = tmp_path / "x", Outcome[Any]("a0", 1, None, 0.1)
    first = opened(path, ids={"a0": "1" * 12})
    first.selected("a0", ("eu-west-1",))
    first.write(unit(0), outcome)
    first.close()
    second = opened(path, ids={"a0": "2" * 12})
    assert (second.outcome(unit(0)), second.regions("a0")) == (None, None)
    second.close()
    third = opened(path, ids={"a0": "1" * 12})
    assert (third.outcome(unit(0)) is not None, third.regions("a0")) == (True, ("eu-west-1",))
    third.close()


CALLED: list[str] = []


def account_of(session: Any, suffix: str = "") -> str:
    """What runs over accounts here; the first time it fails in one of them."""
    CALLED.append(session.name)
    if CALLED == ["deep"]:
        msg = "not the first time"
        raise ValueError(msg)
    return str(session.client("sts").get_caller_identity()["Account"]) + suffix


def test_a_run_goes_on_where_the_last_one_ended(world: World, tmp_path: Path) -> None:
    """Where it is done, nothing is called."""
    xs, path = world.session({"deep": world.chain, "vegeta": world.role}), tmp_path / "scan.jsonl"
    CALLED.clear()
    assert set(xs.run(account_of, journal=path, max_workers=1).collect().errors) == {"deep"}
    outcomes = xs.run(account_of, journal=path).collect()
    assert outcomes.results == {"deep": VEGETA, "vegeta": VEGETA}
    assert CALLED == ["deep", "vegeta", "deep"]
    assert outcomes["vegeta"].notes == ("from the journal",)
    with pytest.raises(JournalError, match="is finished"):
        xs.run(account_of, journal=path)
    with pytest.raises(JournalError, match="is of other arguments"):
        xs.run(account_of, journal=path, arguments={"suffix": "x"})
    other = world.session(session=world.aws.session(world.hub.user("alfred")))
    with pytest.raises(JournalError, match="is of the principal arn:aws:iam::111111111111:user/bruce"):
        other.run(account_of, journal=path)


KILLED = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from tests.fanout.test_journal import opened, unit, Path
from xsession import Outcome
journal = opened(Path(sys.argv[1]))
for number in range(200):
    if journal.outcome(unit(number)) is None:
        journal.write(unit(number), Outcome(f"a{number}", "x" * 50_000, None, 0.1))
        print(number, flush=True)
"""


def test_killed_twice_each_unit_is_there_once(tmp_path: Path) -> None:
    """kill -9 in the first run and in the second one."""
    path = tmp_path / "scan.jsonl"
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        last = [int(process.stdout.readline()) for _line in range(20)][-1]
        process.kill()
        process.wait()
        process.stdout.close()
        assert known(path, 200)[: last + 1] == list(range(last + 1))
    run_python(KILLED, str(path))
    assert list(read_journal(path)) == [f"a{number}" for number in range(200)]
    assert all(json.loads(line) for line in path.read_bytes().splitlines()[:1])
