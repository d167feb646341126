"""FastAPI with clients as dependencies."""

from __future__ import annotations

from .conftest import Recipes, needs

pytestmark = needs("httpx")


def test_endpoints_get_clients_over_three_lifetimes(recipes: Recipes) -> None:
    """Of the account that the path names; unknown ones are not found; a test puts another client in its place."""
    code = """
from fastapi.testclient import TestClient
from dependency_app import app, s3, xs
from lifetimes import over_lifetimes

with TestClient(app) as client:
    for _ in over_lifetimes(xs):
        answer = client.get("/vegeta/vegeta-power-levels")
        assert answer.status_code == 200, answer.text
    print(answer.json(), client.get("/freezer/vegeta-power-levels").status_code)
    app.dependency_overrides[s3] = lambda: type("Fake", (), {"list_objects_v2": lambda self, Bucket: {}})()
    print(client.get("/vegeta/vegeta-power-levels").json())
"""
    assert recipes.run(code) == "['scouter.csv'] 404\n[]\n"
    recipes.check_lifetimes()
