from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import ConfigError, Credentials
from xsession.cli._env import SET
from xsession.cli._variables import assignments, removals

# Whatever moves a reader: quotes of all kinds, expansions, separators, and what tokens are made of.
VALUES = st.text(st.sampled_from("aZ09+/=_-'\"\\$`!*?~#&|;<>(){}[]%^ \u2018\u2019é€"), max_size=40)
VARIABLES = st.dictionaries(st.from_regex(r"AWS_[A-Z_]{1,10}", fullmatch=True), VALUES, min_size=1, max_size=4)
SHELLS = {
    "dash": ["dash", "-eu"],
    "bash": ["bash", "--norc", "--noprofile", "-eu"],
    "busybox": ["busybox", "sh", "-eu"],
    "zsh": ["zsh", "-f", "-eu"],
}
SHOW = "env -0"


def shown(command: Sequence[str], script: str) -> dict[str, str]:
    """The variables of a program that a shell starts at the end of a script."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [*command, "-c", f"{script}{SHOW}\n"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    return dict(pair.decode().split("=", 1) for pair in done.stdout.split(b"\0") if pair)


@pytest.mark.parametrize("name", SHELLS)
@given(variables=VARIABLES)
def test_shells_read_back_what_was_written(name: str, variables: dict[str, str]) -> None:
    """Also where unset variables and failures end them; by a file and by `eval`; and they forget it again."""
    text = assignments(variables, "sh")
    found = shown(SHELLS[name], text)
    assert {name: found[name] for name in variables} == variables
    quoted = text.replace("'", "'\\''")
    found = shown(SHELLS[name], f"eval \"$(printf '%s' '{quoted}')\"\n{removals([*variables, 'AWS_NOT_SET'], 'sh')}")
    assert not found.keys() & variables.keys()


@given(variables=VARIABLES)
def test_fish_reads_back_what_was_written(variables: dict[str, str]) -> None:
    """It has quotes of its own."""
    fish = ["fish", "--no-config"]
    found = shown(fish, assignments(variables, "fish"))
    assert {name: found[name] for name in variables} == variables
    found = shown(fish, f"{assignments(variables, 'fish')}{removals([*variables, 'AWS_NOT_SET'], 'fish')}")
    assert not found.keys() & variables.keys()


@given(variables=VARIABLES)
def test_powershell_doubles_the_quotes_that_end_a_string(variables: dict[str, str]) -> None:
    """Nothing else in single quotes means anything to it."""
    lines = assignments(variables, "powershell").splitlines()
    for line, (name, value) in zip(lines, variables.items(), strict=True):
        written = line.removeprefix(f"$Env:{name} = '").removesuffix("'")
        assert line == f"$Env:{name} = '{written}'"
        back, rest = "", written
        while rest:
            quotes = rest[0] in "'\u2018\u2019\u201a\u201b"
            assert not quotes or rest[1] == rest[0]
            back, rest = back + rest[0], rest[2 if quotes else 1 :]
        assert back == value


def test_powershell_itself_reads_it_back() -> None:
    """Where there is one."""
    pwsh = shutil.which("pwsh")
    if pwsh is None:
        pytest.skip("PowerShell is not installed")
    value = "a==+/'$x\u2019"
    script = f"{assignments({'AWS_X': value}, 'powershell')}[Console]::Out.Write($Env:AWS_X)"
    done = subprocess.run([pwsh, "-NoProfile", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == value


def test_lines_of_files_have_no_quotes_that_some_would_keep() -> None:
    """Docker takes them for a part of the value; tokens need none."""
    token = "IQoJb3JpZ2luX2VjE+/=="
    assert assignments({"AWS_SESSION_TOKEN": token, "X": "a b", "Y": 'it\'s "$5"'}, "dotenv") == (
        f'AWS_SESSION_TOKEN={token}\nX=\'a b\'\nY="it\'s \\"\\$5\\""\n'
    )


@given(variables=VARIABLES)
def test_json_is_one_object(variables: dict[str, str]) -> None:
    """With a line break at its end."""
    text = assignments(variables, "json")
    assert text.endswith("}\n")
    assert json.loads(text) == variables


@given(variables=VARIABLES, style=st.sampled_from(["sh", "fish", "powershell", "dotenv", "json"]))
def test_lines_end_in_line_feeds(variables: dict[str, str], style: str) -> None:
    """And hold nothing that moves a cursor."""
    text = assignments(variables, style)  # type: ignore[arg-type]
    assert not {character for character in text if not character.isprintable()} - {"\n"}


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x1b[2J", "\0"])
def test_control_characters_are_refused(value: str) -> None:
    """No reader of lines would give them back."""
    with pytest.raises(ConfigError, match="control characters"):
        assignments({"AWS_REGION": value}, "sh")
    with pytest.raises(ConfigError, match="variable"):
        assignments({"A;reboot": "x"}, "sh")


def test_what_is_unset_is_all_that_is_set() -> None:
    """One list for both."""
    everything = Credentials(access_key_id="AKIA", secret_access_key="hush", session_token="token", account_id="1" * 12)
    names = set(everything.environ("eu-west-1")) | {"AWS_CREDENTIAL_EXPIRATION"}
    assert names == set(SET)
    assert removals(SET, "powershell").splitlines()[0] == "$Env:AWS_ACCESS_KEY_ID = $null"
    for style in ("json", "dotenv"):
        with pytest.raises(ConfigError, match="nothing can be unset"):
            removals(SET, style)
