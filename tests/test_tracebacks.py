"""No secret is in the locals of a traceback that a caller gets, nor in those of its causes: reporters send them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, CredentialRetrievalError

from tests.support.reporters import leaks, parts
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import SOURCE, Account, Accounts, CrossAccountSession, RefreshPolicy, Role, XSessionError
from xsession.accounts import TrustedFiles
from xsession.policies import Policy, Statement, diff, difference, findings, same_meaning, trust
from xsession.provision import RoleSpec
from xsession.testing import Fault
from xsession.testing._iam import AccessKey

CODE, WORD, TOKEN = "428571", "the-agreed-word", "header.a-web-identity-token.signature"
DEVICE = f"arn:aws:iam::{BATMAN}:mfa/bruce"

Use = Callable[[World, Path], object]


def session(world: World, role: Any = None, **options: Any) -> CrossAccountSession:
    """A session with one account, "vegeta"."""
    options.setdefault("refresh", RefreshPolicy(patience=1))
    return world.session({"vegeta": role or world.role}, **options)


def refused(world: World, _folder: Path) -> object:
    """STS says AccessDenied at the first hop."""
    stranger = world.vegeta.role("Stranger", trusts="999999999999")
    return session(world, Role(stranger, external_id=WORD)).get_client("s3", "vegeta").list_buckets()


def refused_later(world: World, _folder: Path) -> object:
    """STS says AccessDenied at the second hop, which the first one's credentials sign."""
    world.vegeta.set_trust("FromHub", trust("999999999999"))
    return world.session(refresh=RefreshPolicy(patience=1)).get_client("s3", "deep").list_buckets()


def garbled(world: World, _folder: Path) -> object:
    """STS's answer is cut off in the middle."""
    world.aws.fail(Fault(operation="AssumeRole", kind="garbage", times=None))
    return session(world).get_frozen_credentials("vegeta")


def unreachable(world: World, _folder: Path) -> object:
    """STS closes the connection."""
    world.aws.fail(Fault(operation="AssumeRole", kind="reset", times=None))
    return session(world).get_frozen_credentials("vegeta")


def wrong_code(world: World, _folder: Path) -> object:
    """Two wrong codes of an MFA device."""
    role = Role(world.role, mfa_serial=DEVICE)
    return session(world, role, mfa_code=lambda _serial: CODE).get_frozen_credentials("vegeta")


def no_code(world: World, _folder: Path) -> object:
    """The function that is asked for a code fails, with the code in its hands."""

    def fail(_serial: str) -> str:
        raise ValueError(CODE)

    return session(world, Role(world.role, mfa_serial=DEVICE), mfa_code=fail).get_frozen_credentials("vegeta")


def unknown_caller(world: World, _folder: Path) -> object:
    """STS does not say who we are."""
    world.aws.fail(Fault(operation="GetCallerIdentity", times=None, status=403, code="AccessDenied"))
    return session(world).whoami("vegeta")


def unknown_source(world: World, _folder: Path) -> object:
    """Nor who the source is."""
    world.aws.fail(Fault(operation="GetCallerIdentity", times=None, status=403, code="AccessDenied"))
    return session(world).whoami()


def refused_token(world: World, folder: Path) -> object:
    """A web identity token that STS refuses."""
    (folder / "token").write_text(TOKEN)
    role = Role(world.role, web_identity_token_file=folder / "token")
    return session(world, role).get_frozen_credentials("vegeta")


def long_token(world: World, _folder: Path) -> object:
    """A function that returns what can't be a token."""
    role = Role(world.role, web_identity_token=lambda: TOKEN * 1_000)
    return session(world, role).get_frozen_credentials("vegeta")


def broken_process(world: World, folder: Path) -> object:
    """A credential_process whose output breaks off."""
    (folder / "printed").write_text('{"Version": 1, "AccessKeyId": "AKIAX", "SecretAccessKey": "of-the-process",')
    (folder / "config").write_text(f"[profile p]\nregion = eu-west-1\ncredential_process = cat {folder / 'printed'}\n")
    accounts = {"vegeta": world.role}
    with CrossAccountSession(accounts, profile_name="p", refresh=RefreshPolicy(patience=1)) as xs:
        return xs.get_frozen_credentials("vegeta")


def refused_grant(world: World, _folder: Path) -> object:
    """A grant that STS refuses."""
    world.vegeta.set_trust(world.role.rpartition("/")[2], trust("999999999999"))
    return session(world).grant("vegeta", to="joe", duration=900)


def wrong_account(world: World, _folder: Path) -> object:
    """The source's own keys are those of another account than the expected one."""
    return world.session({"goku": Account("goku", account_id="444444444444")}).get_client("s3", "goku").list_buckets()


def unknown_account(world: World, _folder: Path) -> object:
    """STS does not say which account they are of."""
    world.aws.fail(Fault(operation="GetCallerIdentity", times=None, status=403, code="AccessDenied"))
    return world.session({"goku": Account("goku", account_id=BATMAN)}).get_client("s3", "goku").list_buckets()


def unknown_before_pickling(world: World, folder: Path) -> object:
    """Nor whose they are, which a copy must know."""
    xs = of_profile(world, folder, world.key)
    world.aws.fail(Fault(operation="GetCallerIdentity", times=None, status=403, code="AccessDenied"))
    return pickle.dumps(xs)


def another_source(world: World, folder: Path) -> object:
    """A copy whose source is somebody else is to be pickled again."""
    data = pickle.dumps(of_profile(world, folder, world.key))
    world.key = world.batman.user("joker")
    of_profile(world, folder, world.key)
    copy = pickle.loads(data)
    copy.get_client("s3", SOURCE)
    return pickle.dumps(copy)


def of_profile(world: World, folder: Path, key: AccessKey) -> CrossAccountSession:
    """A session whose source is a profile with a key."""
    where = f"region = us-east-1\nendpoint_url = {world.aws.endpoint_url}\n"
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    (folder / "config").write_text(f"[profile p]\n{where}{keys}")
    xs = CrossAccountSession(profile_name="p", refresh=RefreshPolicy(patience=1))
    xs.get_client("s3", SOURCE)
    return xs


def of_own_session(world: World, error: BaseException) -> object:
    """The credentials of a session that the caller made raise this, with a secret in their hands."""

    def fetch() -> dict[str, str]:
        held = [WORD, CODE]
        raise error if held else LookupError

    source: Any = boto3.Session(region_name="eu-west-1")
    source._session._credentials = DeferredRefreshableCredentials(fetch, "own")
    with CrossAccountSession({"vegeta": world.role}, session=source, refresh=RefreshPolicy(patience=1)) as xs:
        return xs.get_frozen_credentials("vegeta")


def own_session(world: World, _folder: Path) -> object:
    """An error of its own."""
    return of_own_session(world, RuntimeError(f"the vault refuses {WORD}", {"code": CODE}))


def own_session_like_botocore(world: World, _folder: Path) -> object:
    """An error that botocore's handlers catch."""

    class VaultError(BotoCoreError):
        fmt = "the vault refuses {word}"

    return of_own_session(world, VaultError(word=WORD))


def own_session_with_a_cause(world: World, _folder: Path) -> object:
    """An error of botocore's, which another one led to."""
    error = CredentialRetrievalError(provider="vault", error_msg="no answer")
    error.__cause__ = RuntimeError(WORD)
    return of_own_session(world, error)


def own_session_no_file(world: World, _folder: Path) -> object:
    """An error of the operating system's kind, in words of its own."""
    return of_own_session(world, FileNotFoundError(WORD))


USES = [
    own_session,
    own_session_like_botocore,
    own_session_with_a_cause,
    own_session_no_file,
    refused,
    refused_later,
    garbled,
    unreachable,
    wrong_code,
    no_code,
    unknown_caller,
    unknown_source,
    refused_token,
    long_token,
    broken_process,
    refused_grant,
    wrong_account,
    unknown_account,
    unknown_before_pickling,
    another_source,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_no_secret_is_in_what_reporters_show(world: World, aws_folder: Path, use: Use) -> None:
    """Source keys, session keys and tokens, codes, external ids, web identity tokens, what a process printed."""
    with pytest.raises(XSessionError) as caught:
        use(world, aws_folder)
    issued = [key for key in world.aws._sts._keys.values() if key.session_token]
    secrets = {
        "the source's secret": world.key.secret_access_key,
        "a code": CODE,
        "an external id": WORD,
        "a token": "a-web-identity-token",
        "what a process printed": "of-the-process",
        **{f"the secret of {key.access_key_id}": key.secret_access_key for key in issued},
        **{f"the token of {key.access_key_id}": str(key.session_token) for key in issued},
    }
    assert leaks(caught.value, secrets, __file__) == []


KEYS = "[keys]\naws_access_key_id = AKIAX\naws_secret_access_key = of-the-file\n"
HOP = f'role_arn = "arn:aws:iam::{VEGETA}:role/R"\n'
SECRETIVE = f'[accounts.vegeta]\n{HOP}external_id = "{WORD}"\n'

FILES = {
    "a line that is none": {"credentials": f"{KEYS}what is this\n"},
    "no UTF-8": {"credentials": f"{KEYS}# \udcff\n"},
    "a section that is there twice": {"credentials": KEYS * 2},
    "half a key": {"config": "[profile vegeta]\naws_secret_access_key = of-the-file\n"},
    "no such role": {"credentials": KEYS, "config": "[profile vegeta]\nrole_arn = R\nsource_profile = keys\n"},
    "no TOML": {"xsession.toml": f"{SECRETIVE}source =\n"},
    "TOML in another encoding": {"xsession.toml": f"{SECRETIVE}# \udcff\n"},
    "too deep": {"xsession.toml": f"{SECRETIVE}tags = {'[' * 40}\n"},
    "an unknown key": {"xsession.toml": f"{SECRETIVE}[accounts.other]\nrole = 'R'\n"},
    "a wrong external id": {"xsession.toml": f'[accounts.vegeta]\n{HOP}external_id = "{WORD} {{"\n'},
    "a wrong role": {"xsession.toml": f"{SECRETIVE}duration_seconds = 1\n"},
    "no trust": {"xsession.toml": f"{SECRETIVE}source = 'keys'\n"},
    "a file that is not there": {"xsession.toml": f'include = ["other.toml"]\n{SECRETIVE}'},
}


def error_of(use: Callable[[], object]) -> Exception | None:
    """What a use raises; None: not every file is wrong for everybody."""
    try:
        use()
    except (XSessionError, KeyError) as error:
        return error
    return None


@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
@pytest.mark.parametrize("way", ["found", "named", "profiles", "trusted", "again"])
def test_no_secret_of_a_file_is_in_what_reporters_show(
    aws_folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], way: str
) -> None:
    """A file that is wrong in one place has secrets in others, and so has the environment that names it."""
    monkeypatch.setenv("HOME", str(aws_folder / "home"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
    monkeypatch.chdir(aws_folder)
    code = {"source": Role(f"arn:aws:iam::{VEGETA}:role/R")}
    session = CrossAccountSession.from_config(accounts=code)
    for name, text in files.items():
        (aws_folder / name).write_text(text, errors="surrogateescape")
    toml = aws_folder / "xsession.toml"
    ways: dict[str, Callable[[], object]] = {
        "found": lambda: CrossAccountSession.from_config().get_client("s3", "vegeta"),
        "named": lambda: Accounts.from_toml(toml)["vegeta"] if toml.exists() else None,
        "profiles": lambda: Accounts.from_aws_config()["vegeta"],
        "trusted": lambda: TrustedFiles(aws_folder / "trusted").trust(toml),
        "again": session.reload,
    }
    error = error_of(ways[way])
    secrets = {"a key": "of-the-file", "an external id": WORD, "the environment": "of-the-environment"}
    assert error is None or leaks(error, secrets, __file__) == []


PRINCIPALS = {"Principal": {"AWS": VEGETA}, "Condition": {"StringEquals": {"sts:ExternalId": WORD}}}
STATEMENT = {"Effect": "Allow", "Action": "sts:AssumeRole", **PRINCIPALS}
TRUST = {"Version": "2012-10-17", "Statement": [STATEMENT]}
NO_TRUST = {"Version": "2012-10-17", "Statement": [STATEMENT, {**STATEMENT, "Other": 1}]}

# Type checkers refuse these too.
OWN_KEY: dict[str, Any] = {"aws_secret_access_key": "a-key-of-ones-own"}
ARGUMENTS: dict[str, Callable[[CrossAccountSession], object]] = {
    "a role": lambda _: Role(f"arn:aws:iam::{VEGETA}:role/R", external_id=WORD, duration_seconds=1),
    "an external id": lambda _: Role(f"arn:aws:iam::{VEGETA}:role/R", external_id=f"{WORD} {{"),
    "a changed role": lambda xs: xs["vegeta"].chain.last.replace(external_id=WORD, duration_seconds=1),  # type: ignore[union-attr] # it has one
    "no option": lambda xs: xs["vegeta"].chain.last.replace(external_id=WORD, other=1),  # type: ignore[union-attr] # likewise
    "a session's options": lambda xs: xs.session("vegeta", external_id=WORD, duration_seconds=1),
    "a default": lambda _: CrossAccountSession(external_id=WORD),  # type: ignore[call-arg]  # there is no such default
    "a row": lambda _: Accounts([{"name": "a", "account_id": VEGETA, "role_name": "R", "external_id": f"{WORD} {{"}]),
    "a principal": lambda _: trust("vegeta", external_id=WORD),
    "a policy": lambda _: Policy.from_dict(NO_TRUST),
    "a policy's JSON": lambda _: Policy.from_json(json.dumps(NO_TRUST)),
    "no JSON": lambda _: Policy.from_json(json.dumps(TRUST)[:-1]),
    "a statement": lambda _: Statement(effect="Deny", sid="{", conditions={"StringEquals": {"sts:ExternalId": WORD}}),
    "a policy to look at": lambda _: findings(NO_TRUST),
    "a policy to compare": lambda _: same_meaning(TRUST, NO_TRUST),
    "another to compare": lambda _: difference(TRUST, json.dumps(NO_TRUST)),
    "a policy to show": lambda _: diff(TRUST, NO_TRUST),
    "a role to set up": lambda _: RoleSpec("R of mine", trust=json.dumps(TRUST)),
    "a trust policy": lambda _: RoleSpec("R", trust=NO_TRUST),
    "keys for a shared client": lambda xs: xs.get_client("s3", "vegeta", **OWN_KEY),
    "keys for a client": lambda xs: xs["vegeta"].client("s3", **OWN_KEY),
}


@pytest.mark.parametrize("use", ARGUMENTS.values(), ids=ARGUMENTS)
def test_no_secret_among_arguments_is_in_what_reporters_show(
    use: Callable[[CrossAccountSession], object],
) -> None:
    """Where the call is refused for another argument, or for that one."""
    session = CrossAccountSession({"vegeta": f"arn:aws:iam::{VEGETA}:role/R"})
    with pytest.raises(XSessionError) as caught:
        use(session)
    assert leaks(caught.value, {"an external id": WORD, "a key": "a-key-of-ones-own"}, __file__) == []


def test_a_leak_is_found() -> None:
    """In a local, in a container in a container, in a cause, in an attribute."""

    def fail() -> None:
        held = {"keys": [("secret-1",)]}
        raise ValueError(len(held))

    def wrap() -> None:
        try:
            fail()
        except ValueError as error:
            wrapped = RuntimeError("secret-2")
            raise wrapped from error

    with pytest.raises(RuntimeError) as caught:
        wrap()
    secrets = {"first": "secret-1", "second": "secret-2"}
    found = leaks(caught.value, secrets, "another file")
    assert any("held: first" in place for place in found)
    assert any("args: second" in place for place in found)
    assert [*parts([[["deep"]]]), *parts([[[["too deep"]]]])] == ["deep", "['too deep']"]
