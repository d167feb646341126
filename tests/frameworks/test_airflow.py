"""Airflow's recipe, with the real provider: in an environment of its own, since it pins botocore."""

from __future__ import annotations

from .conftest import Recipes, needs

pytestmark = needs("airflow")

CONNECTIONS = {
    "AIRFLOW__AWS__SESSION_FACTORY": "airflow_sessions.AccountSessionFactory",
    "AIRFLOW_CONN_VEGETA": '{"conn_type": "aws", "extra": {"xsession_account": "vegeta"}}',
    "AIRFLOW_CONN_BATMAN": '{"conn_type": "aws"}',
    "AIRFLOW_CONN_NOBODY": '{"conn_type": "aws", "extra": {"xsession_account": "vegata"}}',
}


def test_hooks_act_in_the_account_of_their_connection(recipes: Recipes) -> None:
    """One hook over three lifetimes; a connection that names no account is Airflow's own."""
    code = """
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sts import StsHook
from airflow_sessions import xs
from lifetimes import over_lifetimes

hook = S3Hook(aws_conn_id="vegeta")
for _ in over_lifetimes(xs):
    read = hook.read_key("scouter.csv", "vegeta-power-levels")
print(read.split(), StsHook("vegeta").get_account_number(), StsHook("batman").get_account_number())
"""
    printed = recipes.run(code, **CONNECTIONS).splitlines()[-1]
    assert printed == "['name,level', 'goku,9001'] 222222222222 111111111111"
    # Two modules of Airflow may import the recipe: one session all the same.
    recipes.check_lifetimes()


def test_an_unknown_account_is_an_error_with_its_close_match(recipes: Recipes) -> None:
    """And never the worker's own identity."""
    code = """
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from xsession import UnknownAccountError
try:
    S3Hook(aws_conn_id="nobody").get_conn()
except UnknownAccountError as error:
    print(error)
"""
    assert "vegeta" in recipes.run(code, **CONNECTIONS).splitlines()[-1]


def test_a_region_of_the_hook_or_connection_comes_first(recipes: Recipes) -> None:
    """Else it is the account's own, for triggers as for hooks; all share their credentials."""
    code = """
from airflow.providers.amazon.aws.hooks.sts import StsHook

found = []
for hook in (StsHook("vegeta"), StsHook("vegeta", region_name="eu-north-1"), StsHook("afar")):
    found.append(hook.get_conn().meta.region_name)
    found.append(hook.get_session(hook.region_name, deferrable=True).get_config_variable("region"))
print(*found)
"""
    afar = '{"conn_type": "aws", "extra": {"xsession_account": "vegeta", "region_name": "us-west-2"}}'
    printed = recipes.run(code, **CONNECTIONS, AIRFLOW_CONN_AFAR=afar).splitlines()[-1]
    assert printed == "eu-west-1 eu-west-1 eu-north-1 eu-north-1 us-west-2 us-west-2"


def test_a_deferred_trigger_polls_over_lifetimes(recipes: Recipes) -> None:
    """It waits for an object that comes after four of them, with the client that it began with."""
    code = """
import asyncio
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.triggers.s3 import S3KeyTrigger
from airflow_sessions import xs
from lifetimes import over_lifetimes

def put_late():
    for _ in over_lifetimes(xs):
        pass
    S3Hook("vegeta").load_string("goku", "late.csv", "vegeta-power-levels")

async def main():
    late = asyncio.create_task(asyncio.to_thread(put_late))
    trigger = S3KeyTrigger("vegeta-power-levels", "late.csv", aws_conn_id="vegeta", poke_interval=0.2)
    async for event in trigger.run():
        await late
        return event.payload["status"]

print(asyncio.run(main()))
"""
    assert recipes.run(code, **CONNECTIONS).splitlines()[-1] == "success"
    recipes.check_lifetimes(refused=("404 NOT FOUND",))


def test_object_storage_paths_are_read_by_the_account(recipes: Recipes) -> None:
    """By s3fs, which asks the session for credentials at each request, over four lifetimes of an open path."""
    code = """
from airflow.sdk import ObjectStoragePath
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow_sessions import xs
from lifetimes import over_lifetimes

path = ObjectStoragePath("s3://vegeta@vegeta-power-levels/scouter.csv")
for _ in over_lifetimes(xs):
    path.fs.invalidate_cache()
    read = path.read_bytes()
print(read.split())
"""
    assert recipes.run(code, **CONNECTIONS).splitlines()[-1] == "[b'name,level', b'goku,9001']"
    recipes.check_lifetimes()
