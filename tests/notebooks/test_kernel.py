"""In a Jupyter kernel, as nbclient runs it, which lets no person be asked: `make test-notebooks`."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.aws_hosts import Answer, Request, one_host, usual
from tools import notebook
from xsession.testing import LocalAWS, Story

pytest.importorskip("nbclient", reason="Jupyter is not installed: run make test-notebooks")

pytestmark = pytest.mark.notebooks

# What must not be seen, printed by the last cell and by no other.
SECRETS = """
import gc, json
from botocore.credentials import Credentials as BotocoreCredentials
from xsession import Credentials, CrossAccountSession, Role
secrets = {external_id for role in gc.get_objects() if type(role) is Role and (external_id := role.external_id)}
for made in gc.get_objects():
    if type(made) is Credentials:
        secrets |= {made.secret_access_key, made.session_token}
    elif type(made) is BotocoreCredentials:
        secrets |= {made.secret_key, made.token}
for made in [made for made in gc.get_objects() if type(made) is CrossAccountSession]:
    made.close()
print(json.dumps(sorted(filter(None, secrets))))
"""


def executed(cells: list[str], environ: dict[str, str], *, allow_errors: bool = False) -> Any:
    """A notebook of these cells, run."""
    made = notebook.of_cells(cells)
    notebook.run(made, environ, allow_errors=allow_errors)
    return made


def text_of(cell: Any) -> str:
    """All that a cell printed, showed as text, or raised."""
    outputs = cell.outputs
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") + "\n".join(output.get("traceback", []))
        for output in outputs
    )


def without_its_secrets(made: Any) -> tuple[Any, list[str]]:
    """A notebook that ends in the cell above, before that one; and the secrets which that one printed."""
    last = made.cells.pop()
    secrets = json.loads(text_of(last))
    assert len(secrets) > 2
    return made, secrets


def test_the_tutorial_runs_and_shows_no_secret() -> None:
    """Vegeta's data in pandas and polars, a plot, and who did what; as it would be saved."""
    tutorial = notebook.read(notebook.TUTORIAL)
    # Before the session is closed, which throws its credentials away.
    tutorial.cells[-1].source = f"keys = list(map(xs.get_frozen_credentials, xs))\n{SECRETS}"
    notebook.run(tutorial, {"LOGNAME": "bruce"})
    shown, secrets = without_its_secrets(tutorial)
    saved = json.dumps(shown)
    assert not any(secret in saved for secret in secrets)
    kinds = {kind for cell in shown.cells for output in cell.get("outputs", []) for kind in output.get("data", {})}
    assert kinds >= {"text/html", "text/plain", "text/vnd.mermaid", "image/png"}
    words = "".join(text_of(cell) for cell in shown.cells if cell.cell_type == "code")
    assert all(word in words for word in ("goku   9001", "150000000", "AssumeRole", "3 of 3 accounts ok", "fresh"))


DATA = """
import obstore
from obstore.store import S3Store
from xsession import CrossAccountSession
xs = CrossAccountSession({{"vegeta": "{role}"}})
session = xs["vegeta"]
print(session.data.s3fs().ls("vegeta-power-levels"))
"""
READS = [
    """store = S3Store("vegeta-power-levels", **session.data.obstore())
awaited = await (await obstore.get_async(store, "scouter.csv")).bytes_async()
print(bytes(obstore.get(store, "scouter.csv").bytes()) == bytes(awaited), bytes(awaited)[:4])""",
    """async with session.aio().create_client("s3") as s3:
    print((await s3.head_object(Bucket="vegeta-power-levels", Key="scouter.csv"))["ContentLength"] > 4)
xs.close()""",
]


def test_data_is_read_where_a_loop_runs_already(local_aws: LocalAWS) -> None:
    """A kernel has one: by s3fs, by obstore, and awaited, without another package that nests loops."""
    story = Story.told_by(local_aws)
    made = executed([DATA.format(role=story.vegeta_role), *READS], local_aws.environ(story.key))
    listed, read, awaited = (text_of(cell).strip() for cell in made.cells)
    assert "vegeta-power-levels/scouter.csv" in listed
    assert (read, awaited) == ("True b'name'", "True")
    assert {call.account_id for call in local_aws.calls if call.service == "s3"} == {"222222222222"}


EXPRESSIONS = """\
role
xs
xs.accounts
xs.accounts['vegeta']
xs.accounts.graph()
xs['vegeta']
xs[SOURCE]
keys
grant
grant.client('s3')
xs.warm()
xs.warm(progress=True)
xs.verify()
xs.verify()['no']
xs.verify().failures
xs.status()
xs.whoami('vegeta')
xs.diagnose('no')
xs.activity('vegeta', since=timedelta(hours=1), using='admin')
xs.get_client('s3', 'vegeta')
xs['vegeta'].get_credentials()
vars(xs)
vars(xs['vegeta'])
vars(xs['vegeta'].get_credentials())
xs['vegetta']
xs.get_frozen_credentials('no')
xs.get_client('s3', None)
Role('arn', external_id=word)
xs['vegeta'].client('s3', aws_secret_access_key=keys.secret_access_key)
Accounts({'a': {'role_arn': 'arn', 'external_id': word}})
xs.get_client('s3', 'no').list_buckets()
"""
"""What a person looks at; the last ones raise."""


def test_no_object_and_no_error_shows_a_secret(local_aws: LocalAWS) -> None:
    """In outputs, tracebacks and metadata; each in HTML, in text, and by its `vars`."""
    story = Story.told_by(local_aws)
    cells = [
        f"""
from datetime import timedelta
from xsession import Account, Accounts, CrossAccountSession, Outcomes, Role, RoleChain, SOURCE
word = "the-external-" + "word"  # a traceback shows what stands in a cell
role = Role("{story.vegeta_role}", external_id=word)
xs = CrossAccountSession(
    {{"vegeta": role, "admin": "{story.admin_role}", "deep": RoleChain(*{story.chain!r}),
     "no": Role("arn:aws:iam::222222222222:role/Missing", external_id=word)}}
)
keys = xs.get_frozen_credentials("vegeta")
grant = xs.grant("vegeta", to="jane", duration=3_600)
""",
        *EXPRESSIONS.splitlines(),
        "import logging; logging.basicConfig(level=10); xs.invalidate(); xs.whoami('vegeta')",
        SECRETS,
    ]
    environ = {**local_aws.environ(story.key), "LOGNAME": "bruce"}
    shown, secrets = without_its_secrets(executed(cells, environ, allow_errors=True))
    issued = local_aws._sts._keys.values()
    secrets += [secret for key in issued for secret in (key.secret_access_key, key.session_token) if secret]
    assert {"the-external-word", story.key.secret_access_key} <= set(secrets)
    outputs = {cell.source: json.dumps(cell.outputs) + json.dumps(cell.metadata) for cell in shown.cells}
    assert [source for source, text in outputs.items() if any(secret in text for secret in secrets)] == []
    raised = [output.ename for cell in shown.cells for output in cell.outputs if output.output_type == "error"]
    names = ["UnknownAccountError", "AssumeRoleError", "ConfigError", "InvalidRoleError", "ConfigError"]
    assert raised == [*names, "InvalidRoleError", "AssumeRoleError"]


MFA = """
import time
from xsession import CrossAccountSession, MfaError
xs = CrossAccountSession({"v": "arn:aws:iam::222222222222:role/R"}, mfa_serial="arn:aws:iam::111111111111:mfa/bruce")
began = time.monotonic()
try:
    xs.get_frozen_credentials("v")
except MfaError as error:
    print(time.monotonic() - began < 1, error.hint)
print(xs.warm())
"""


def test_where_no_person_can_be_asked_a_missing_code_is_an_error(local_aws: LocalAWS) -> None:
    """Within a second, and it says what to pass; standard input is not read."""
    environ = local_aws.environ(local_aws.account("111111111111").user("bruce"))
    (cell,) = executed([MFA], environ).cells
    assert text_of(cell).startswith("True pass mfa_code=")
    assert "none was given; pass mfa_code=" in text_of(cell).partition("\n")[2]


BARE = """
import sys
sys.modules.update({name: None for name in %r})
from xsession import CrossAccountSession
xs = CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/BatmanReadsBucket"})
outcomes = xs.warm(progress=True)
"""


@pytest.mark.parametrize(
    ("missing", "shown"),
    [(("tqdm", "ipywidgets"), "1/1  vegeta: until "), (("ipywidgets",), "1/1 ["), ((), "0/1 [")],
    ids=["neither", "no ipywidgets", "both"],
)
def test_progress_shows_with_what_is_installed(local_aws: LocalAWS, missing: tuple[str, ...], shown: str) -> None:
    """Lines of text, tqdm's bar of text, or a widget; and no warning."""
    environ = local_aws.environ(Story.told_by(local_aws).key)
    (cell,) = executed([BARE % (missing,)], environ).cells
    assert shown in text_of(cell)
    assert "Warning" not in text_of(cell)
    widgets = [output for output in cell.outputs if notebook.WIDGET in output.get("data", {})]
    assert len(widgets) == (not missing)


SSO = """
import os
from pathlib import Path
from xsession import CrossAccountSession, SourceCredentialsError
from xsession.testing import FakeClock
def log_in(name):
    Path("~/.aws/sso/cache").expanduser().mkdir(parents=True, exist_ok=True)
    Path("~/.aws/sso/cache/{digest}.json").expanduser().write_text(os.environ[name])
Path("~/.aws/config").expanduser().parent.mkdir()
Path("~/.aws/config").expanduser().write_text(os.environ["CONFIG"])
log_in("ENDED")
clock = FakeClock()
xs = CrossAccountSession({{"v": "arn:aws:iam::222222222222:role/R"}}, profile_name="team", clock=clock)
s3 = xs.get_client("s3", "v")
try:
    s3.list_buckets()
except SourceCredentialsError as error:
    print(error.hint)
"""


def test_after_a_login_the_same_session_and_clients_work() -> None:
    """The kernel is not restarted: the next cell finds the token that the AWS CLI wrote."""
    digest = hashlib.sha1(b"team", usedforsecurity=False).hexdigest()
    now = datetime.now(UTC)

    def token(ends: datetime) -> str:
        return json.dumps({"accessToken": "t", "expiresAt": f"{ends:%Y-%m-%dT%H:%M:%SZ}", "region": "eu-west-1"})

    def answer(request: Request) -> tuple[int, str]:
        if request.path.startswith("/federation/credentials"):
            until = int((now + timedelta(hours=1)).timestamp() * 1_000)
            keys = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": until}
            return Answer(body=json.dumps({"roleCredentials": keys}))
        return usual(request) if request.action else Answer(body="<ListAllMyBucketsResult/>")

    config = (
        "[profile team]\nsso_session = team\nsso_account_id = 111111111111\nsso_role_name = Dev\nregion = eu-west-1\n"
        "[sso-session team]\nsso_start_url = https://team.awsapps.com/start\nsso_region = eu-west-1\n"
    )
    with one_host(answer) as aws:
        environ = {
            "AWS_ENDPOINT_URL": aws.url,
            "CONFIG": config,
            "ENDED": token(now - timedelta(hours=1)),
            "FRESH": token(now + timedelta(hours=8)),
        }
        # A failure is remembered for some seconds, which a login takes.
        again = 'log_in("FRESH")\nclock.advance(10)\ns3.list_buckets()["ResponseMetadata"]["HTTPStatusCode"]'
        ended, fresh = executed([SSO.format(digest=digest), again], environ).cells
    assert "aws sso login --profile team" in text_of(ended)
    assert text_of(fresh) == "200"


def test_a_magic_names_the_account(local_aws: LocalAWS) -> None:
    """After `%load_ext xsession`; a mistyped name is an error with the close match."""
    story = Story.told_by(local_aws)
    write = f"""from pathlib import Path
Path("xsession.toml").write_text('[accounts]\\nvegeta = "{story.vegeta_role}"')"""
    reads = "vegeta = %xsession vegeta\nvegeta.client('sts').get_caller_identity()['Account'], xs['vegeta'] is vegeta"
    cells = [write, "%load_ext xsession", "%xsession", "%xsession vegeta", reads, "%xsession vegetta", "xs.close()"]
    made = executed(cells, local_aws.environ(story.key), allow_errors=True)
    _, _, accounts, one, read, wrong, _ = made.cells
    assert "BatmanReadsBucket" in text_of(accounts)
    assert any("text/html" in output.get("data", {}) for output in accounts.outputs)
    assert "BatmanReadsBucket" in text_of(one)
    assert text_of(read) == "('222222222222', True)"
    assert "did you mean vegeta?" in text_of(wrong)
