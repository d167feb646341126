"""FastAPI with clients as dependencies."""

from __future__ import annotations

from .conftest import Recipes, needs

pytestmark = needs("httpx")


def test_endpoints_get_clients_over_three_lifetimes(recipes: Recipes) -> None:
    """Of the account that the path names; unknown ones are not found; a test puts another client in its place."""
    code = """
import time
from fastapi.testclient import TestClient
from dependency_app import app, s3

with TestClient(app) as client:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        answer = client.get("/vegeta/vegeta-power-levels")
        assert answer.status_code == 200, answer.text
        time.sleep(0.2)
    print(answer.json(), client.get("/freezer/vegeta-power-levels").status_code)
    app.dependency_overrides[s3] = lambda: type("Fake", (), {"list_objects_v2": lambda self, Bucket: {}})()
    print(client.get("/vegeta/vegeta-power-levels").json())
"""
    assert recipes.run(code) == "['scouter.csv'] 404\n[]\n"
    recipes.check_lifetimes(at_least=4)
