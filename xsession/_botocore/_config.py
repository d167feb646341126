"""What botocore's `Config` objects say, and what tells two of them apart: their values, not which object it is."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from botocore.config import Config


def config_key(config: Config | None) -> Hashable:
    """A hashable value, equal for configs with equal options."""
    if config is None:
        return None
    return tuple((name, _frozen(getattr(config, name, None))) for name in sorted(Config.OPTION_DEFAULTS))


def own_options(config: Config) -> None:
    """Gives a client's config dictionaries of its own: botocore hands those of the session's config to every client."""
    options = config.__dict__
    for name, value in options.items():
        if isinstance(value, dict):
            options[name] = value.copy()


def region_of(region_name: str | None, config: Config | None, default: str | None) -> str | None:
    """The region of a client: the call's, else its config's, as boto3 has it; else the default."""
    of_config: str | None = getattr(config, "region_name", None)
    return region_name or of_config or default


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple(sorted(((str(key), _frozen(item)) for key, item in value.items()), key=lambda pair: pair[0]))
    if isinstance(value, list | tuple | set):
        return tuple(_frozen(item) for item in value)
    try:
        hash(value)
    except TypeError:
        # The object is not kept alive, so another one may get its id: its repr is safer.
        return repr(value)
    return (type(value).__name__, value)
