from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from xsession import RoleSpec, policies
from xsession.errors import ConfigError, InvalidPolicyError, InvalidRoleError
from xsession.provision._role_file import READY_MADE, ROLE_KEYS

TRUST = '[roles.R]\ntrust = { principals = ["111111111111"] }\n'


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    file = folder / "role.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_role_is_what_code_would_make_of_it(tmp_path: Path) -> None:
    """With each option by its own name, and policies by the functions that make them."""
    file = written(
        tmp_path,
        """
        [roles.Reader]
        description = "Reads"
        path = "/partners/"
        max_session_duration = 7200
        tags = { team = "vegeta" }
        permissions_boundary = "arn:aws:iam::222222222222:policy/Limit"
        managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        trust_policy_quota = 4096

        [roles.Reader.trust]
        principals = ["111111111111"]
        external_id = "agreed"
        mfa_required = true

        [[roles.Reader.permissions]]
        s3_read = { bucket = "vegeta-power-levels", prefix = "2026/" }
        ec2_describe = {}

        [[roles.Reader.permissions]]
        Version = "2012-10-17"
        Statement = [{ Effect = "Deny", Action = "s3:DeleteObject", Resource = "*" }]
        """,
    )
    assert RoleSpec.from_toml(file) == RoleSpec(
        "Reader",
        trust=policies.trust("111111111111", external_id="agreed", mfa_required=True),
        permissions=policies.s3_read("vegeta-power-levels", "2026/")
        + policies.ec2_describe()
        + policies.deny("s3:DeleteObject"),
        description="Reads",
        path="/partners/",
        max_session_duration=7_200,
        tags={"team": "vegeta"},
        permissions_boundary="arn:aws:iam::222222222222:policy/Limit",
        managed_policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        trust_policy_quota=4_096,
    )


def test_one_of_several_is_named(tmp_path: Path) -> None:
    """The only one needs no name."""
    file = written(tmp_path, TRUST + TRUST.replace("roles.R", "roles.Other"))
    assert RoleSpec.from_toml(file, "Other").name == "Other"
    with pytest.raises(ConfigError, match="there are 2 roles in it; name one of R, Other"):
        RoleSpec.from_toml(file)
    with pytest.raises(ConfigError, match="there is no role 'Othr' in it; did you mean Other"):
        RoleSpec.from_toml(file, "Othr")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no role in it"),
        ("[roles", "is no TOML"),
        ("[role.R]", "unknown key 'role'; did you mean roles"),
        ("roles = 1", "a table is needed here, not 1"),
        ("[roles.R]", r"roles\.R: a role needs a trust policy"),
        (f"{TRUST}pth = 1", r"roles\.R: unknown key 'pth'; did you mean path"),
        (f"{TRUST}permissions = []", r"roles\.R: permissions: a list of tables needs one"),
        (f"{TRUST}permissions = {{}}", r"roles\.R: permissions: the table is empty"),
        (f"{TRUST}permissions = {{ s3_raed = {{}} }}", "did you mean s3_read"),
        (f"{TRUST}permissions = {{ s3_read = {{}} }}", r"permissions: s3_read: bucket is missing"),
        (f"{TRUST}permissions = {{ s3_read = {{ bucket = 1 }} }}", r"permissions: s3_read"),
        (f'{TRUST}permissions = {{ ec2_start_stop = {{ instance_ids = "i-1" }} }}', "an array of strings"),
        ('[roles.R]\ntrust = { mfa_required = "yes" }', "mfa_required 'yes' is not valid: true or false"),
        ("[roles.R.trust]\nprincipal = []", "did you mean principals"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """Before the network, and before anything is made."""
    file = written(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as raised:
        RoleSpec.from_toml(file)
    assert str(file) in str(raised.value)


def test_what_iam_would_refuse_is_refused(tmp_path: Path) -> None:
    """By the rules that hold for roles and policies in code, with the place in the file."""
    with pytest.raises(InvalidRoleError, match=r"role\.toml: roles\.R: max_session_duration 5 is not valid"):
        RoleSpec.from_toml(written(tmp_path, f"{TRUST}max_session_duration = 5"))
    with pytest.raises(InvalidPolicyError, match=r"role\.toml: roles\.R: trust"):
        RoleSpec.from_toml(written(tmp_path, '[roles.R]\ntrust = { principals = ["nobody"] }'))


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or in another encoding."""
    with pytest.raises(ConfigError, match=r"missing\.toml can't be read: No such file"):
        RoleSpec.from_toml(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match=r"latin\.toml is no TOML"):
        RoleSpec.from_toml(tmp_path / "latin.toml")


def test_all_options_and_functions_are_known() -> None:
    """A new one of either is not forgotten in files."""
    assert {*inspect.signature(RoleSpec).parameters} - {"name"} == ROLE_KEYS
    homes = {name: getattr(getattr(policies, name), "__module__", "") for name in policies.__all__}
    made = {name for name, home in homes.items() if home == "xsession.policies._ready_made"}
    assert made | {"allow", "deny"} == READY_MADE.keys()
