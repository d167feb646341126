"""The settings of a source's botocore session, for the sessions of its accounts: boto3's and other libraries'."""

from __future__ import annotations

import copy
from typing import Any

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.endpoint import DEFAULT_TIMEOUT

from . import _bearer_tokens as tokens
from ._user_agent import tell_methods

MAX_POOL_CONNECTIONS = 64
"""Connections that one client keeps: many threads share it, and botocore's 10 would make them wait."""


class DerivedSettings(botocore.session.Session):
    """A botocore session that takes its settings of another one; its credentials are not among them."""

    def take_settings(
        self, source: botocore.session.Session, loader: botocore.loaders.Loader, config: Config | None
    ) -> Config:
        """Takes them; called once, by the constructor.

        Args:
            source: Whose they are.
            loader: The loader of service models, which sessions share.
            config: Laid over the source's client defaults.

        Returns:
            The defaults of its clients.
        """
        self._source = source
        self.register_component("data_loader", loader)
        self.register_component("config_store", copy.copy(source.get_component("config_store")))
        self.register_component("token_provider", tokens.NoTokens())
        merged = Config(max_pool_connections=MAX_POOL_CONNECTIONS)
        layers = [layer for layer in (source.get_default_client_config(), config) if layer is not None]
        for layer in layers:
            merged = merged.merge(layer)
        # The timeout that comes with a defaults mode counts only where no config is passed, and botocore takes any
        # default config for one that was passed.
        self._leaves_timeout_to_mode = not layers and self._has_defaults_mode()
        if self._leaves_timeout_to_mode:
            merged = merged.merge(Config(connect_timeout=None))
        return merged

    def make_components(self) -> None:
        """Makes what clients need of it: botocore would do so with the first client, for one thread at a time."""
        for components in (self._components, self._internal_components):  # type: ignore[attr-defined]  # not in stubs
            for name in set(getattr(components, "_deferred", ())) - {"credential_provider"}:
                components.get_component(name)

    @property
    def profile(self) -> str | None:
        """The source's profile: its settings apply, its credentials do not."""
        return self._source.profile

    @property
    def full_config(self) -> Any:
        """The source's configuration file, parsed once for all accounts."""
        return self._source.full_config

    def get_scoped_config(self) -> Any:
        """The source's profile."""
        return self._source.get_scoped_config()

    def set_config_variable(self, logical_name: str, value: Any) -> None:
        """Sets a variable for this session alone; what was copied from the source would go on asking the source."""
        self.get_component("config_store").set_config_variable(logical_name, value)

    def as_passed(self, config: Config | None) -> Config | None:
        """A caller's config, to be laid over the default one."""
        if config is None or not self._leaves_timeout_to_mode or getattr(config, "connect_timeout", None) is None:
            return config
        return Config(connect_timeout=DEFAULT_TIMEOUT).merge(config)

    def look_at(self, client: Any) -> None:
        """Warns of a client's unknown region, and has it tell how its credentials were obtained."""
        from ._regions import warn_of_unknown_region  # noqa: PLC0415 # for few clients: the others have a template

        warn_of_unknown_region(client, self.get_component("data_loader"))
        tell_methods(client, getattr(getattr(client._request_signer, "_credentials", None), "methods", ()))

    def _has_defaults_mode(self) -> bool:
        mode = self.get_config_variable("defaults_mode")
        return mode is not None and str(mode).lower() != "legacy"
