from __future__ import annotations

from pathlib import Path

import pytest

from xsession.accounts import KeptAnswer, KeptAnswers
from xsession.accounts._own_files import OwnFiles
from xsession.errors import ConfigError

ANSWER = KeptAnswer(["eu-west-1"], 1_800_000_000.0)


def kept(folder: Path) -> KeptAnswers:
    """Answers in a folder."""
    return KeptAnswers(OwnFiles(folder / "regions", 10_000))


def test_what_was_said_is_found_again(tmp_path: Path) -> None:
    """With when it was; for who was asked alone, and the user's alone."""
    kept(tmp_path).keep("222222222222", "https://ec2", ANSWER)
    assert kept(tmp_path).find("222222222222", "https://ec2") == ANSWER
    assert kept(tmp_path).find("222222222222", "https://another") is None
    assert kept(tmp_path).find("333333333333", "https://ec2") is None
    assert (tmp_path / "regions" / "222222222222.json").stat().st_mode & 0o777 == 0o600


HEAD = '{"format": 1, "asked": "https://ec2"'
NO_TIMES = ("NaN", "Infinity", "1e300", "1" + "0" * 400, "-1", '"5"', "null")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", "{", HEAD + "}", "[" * 9_999,
        *(f'{HEAD}, "value": 1, "read_at": {moment}}}' for moment in NO_TIMES),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_not_found(tmp_path: Path, text: str) -> None:
    """Torn, or of another program."""
    kept(tmp_path).keep("a", "https://ec2", ANSWER)
    (tmp_path / "regions" / "a.json").write_text(text)
    assert kept(tmp_path).find("a", "https://ec2") is None


def test_what_others_may_have_written_is_not_found(tmp_path: Path) -> None:
    """They would say where we look."""
    kept(tmp_path).keep("a", "https://ec2", ANSWER)
    (tmp_path / "regions" / "a.json").chmod(0o666)
    assert kept(tmp_path).find("a", "https://ec2") is None


def test_without_a_home_nothing_is_kept(tmp_path: Path) -> None:
    """And where the folder can't be written to, that is an error."""
    nowhere = KeptAnswers.named_by({}, "regions")
    nowhere.keep("a", "https://ec2", ANSWER)
    assert nowhere.find("a", "https://ec2") is None
    (tmp_path / "regions").write_text("")
    with pytest.raises(ConfigError):
        kept(tmp_path).keep("a", "https://ec2", ANSWER)
