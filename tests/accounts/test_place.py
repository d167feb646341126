from __future__ import annotations

import pytest

from xsession.accounts._place import Place
from xsession.errors import ConfigError


def test_a_place_without_a_line_of_its_own_has_that_of_what_encloses_it() -> None:
    """A list's item, that of the list; and the file alone, none."""
    place = Place("f.toml", {("a",): 3})
    assert str(place.at("a", "[0]")) == "f.toml:3: a[0]"
    assert str(place.at("z")) == "f.toml: z"
    assert str(place) == "f.toml"


def test_a_key_that_is_no_string_is_refused() -> None:
    """A file has none; code may, such as the cells of a CSV file that are more than its columns."""
    with pytest.raises(ConfigError, match=r"^accounts: a: None is no key: keys are strings$"):
        Place("accounts", {}).at("a").check({None: ["x"]}, {"b"})
