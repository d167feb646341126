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


def test_a_deferred_task_is_refused_by_name(recipes: Recipes) -> None:
    """It wants a session of aiobotocore; the connection's own identity would be a stranger there."""
    code = """
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
try:
    S3Hook(aws_conn_id="vegeta").get_session(deferrable=True)
except NotImplementedError as error:
    print(error)
"""
    assert "deferrable=False" in recipes.run(code, **CONNECTIONS).splitlines()[-1]
