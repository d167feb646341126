"""Sentry's integration, which patches botocore's clients while programs run."""

from __future__ import annotations

from .conftest import Recipes, needs

pytestmark = needs("sentry_sdk")


def test_clients_made_after_the_patch_report_each_call_once(recipes: Recipes) -> None:
    """Also where the template of those clients was made before: https://github.com/getsentry/sentry-python/issues/7474."""
    code = """
import sentry_sdk
from sentry_sdk.integrations.boto3 import Boto3Integration
from sentry_sdk.transport import Transport
from xsession import CrossAccountSession

sent = []

class Kept(Transport):
    def capture_envelope(self, envelope):
        sent.extend(item.payload.json for item in envelope.items if item.type == "transaction")

xs = CrossAccountSession.from_config("xsession.toml")
xs.get_client("sts", account="vegeta").get_caller_identity()
sentry_sdk.init(
    dsn="http://key@127.0.0.1:9/1", traces_sample_rate=1.0, integrations=[Boto3Integration()], transport=Kept,
    default_integrations=False, auto_enabling_integrations=False,
)
later = xs["vegeta"].client("sts")
with sentry_sdk.start_transaction(name="request"):
    later.get_caller_identity()
sentry_sdk.flush()
print([span["description"] for transaction in sent for span in transaction["spans"]])
"""
    assert recipes.run(code) == "['aws.sts.GetCallerIdentity']\n"
