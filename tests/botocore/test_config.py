from __future__ import annotations

from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from xsession._botocore._config import config_key, own_options, region_of


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"read_timeout": 7},
        {"retries": {"mode": "standard", "max_attempts": 3}},
        {"s3": {"addressing_style": "path"}, "proxies": {"http": "http://127.0.0.1:3128"}},
        {"signature_version": UNSIGNED},
    ],
)
def test_configs_with_equal_options_are_equal(options: dict[str, Any]) -> None:
    """Whichever object it is."""
    key = config_key(Config(**options))
    assert key == config_key(Config(**options))
    assert hash(key) == hash(config_key(Config(**options)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"read_timeout": 7}, {"read_timeout": 8}),
        ({"retries": {"max_attempts": 3}}, {"retries": {"max_attempts": 4}}),
        ({"tcp_keepalive": True}, {"tcp_keepalive": 1}),
        ({"signature_version": UNSIGNED}, {"signature_version": "v4"}),
        ({"client_cert": ("a", "b")}, {"client_cert": "a"}),
    ],
)
def test_configs_with_other_options_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    """In the smallest part, and by type."""
    assert config_key(Config(**one)) != config_key(Config(**other))


def test_no_config_is_a_key_of_its_own() -> None:
    """Not the same as one without options, which overrides a default with nothing."""
    assert config_key(None) is None
    assert config_key(Config()) is not None


def test_what_has_no_hash_counts_by_its_text() -> None:
    """An id may come back as another object's."""

    class Odd:
        __hash__ = None  # type: ignore[assignment]  # that is the point

        def __repr__(self) -> str:
            return "odd"

    config: Any = Config()
    config.user_agent_appid = Odd()
    other: Any = Config()
    other.user_agent_appid = Odd()
    assert config_key(config) == config_key(other)


def test_own_options_are_copies_of_the_same_values() -> None:
    """Of those that could be changed in place."""
    retries: Any = {"mode": "standard"}
    config: Any = Config(retries=retries)
    own_options(config)
    assert config.retries == retries
    config.retries["mode"] = "adaptive"
    assert retries == {"mode": "standard"}


def test_the_region_of_the_call_comes_first() -> None:
    """Then its config's, then the default."""
    config = Config(region_name="eu-west-3")
    assert region_of("eu-west-2", config, "eu-west-1") == "eu-west-2"
    assert region_of(None, config, "eu-west-1") == "eu-west-3"
    assert region_of(None, Config(), "eu-west-1") == "eu-west-1"
    assert region_of(None, None, None) is None
