"""django-storages with an account's session."""

from __future__ import annotations

from .conftest import Recipes, needs

pytestmark = needs("storages")


def test_a_storage_reads_and_writes_over_three_lifetimes(recipes: Recipes) -> None:
    """One storage, as `default_storage` gives it, in two threads; a link is signed with a token."""
    code = """
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import django
from django.conf import settings
import django_settings

settings.configure(STORAGES=django_settings.STORAGES)
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from account_storage import xs
from lifetimes import over_lifetimes

def work(name):
    for _ in over_lifetimes(xs):
        default_storage.delete(name)
        default_storage.save(name, ContentFile(b"9001"))
        with default_storage.open(name) as file:
            assert file.read() == b"9001"
    return urlopen(default_storage.url(name)).read()

with ThreadPoolExecutor(2) as pool:
    print(*pool.map(work, ["goku.txt", "vegeta.txt"]))
"""
    assert recipes.run(code) == "b'9001' b'9001'\n"
    recipes.check_lifetimes()
