"""The STS endpoint that the settings of a session name."""

from __future__ import annotations

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError

from xsession._base import without_text
from xsession.errors import ConfigError, XSessionError


def named_sts_endpoint(session: Any) -> str | None:
    """The STS endpoint that the environment or the profile of a botocore session names, ignored or not.

    Raises:
        BotoCoreError: The settings are not valid.
        ImportError: The installed botocore knows no such setting.
    """
    from botocore.configprovider import ConfiguredEndpointProvider  # noqa: PLC0415 # it is botocore's own business

    found: str | None = ConfiguredEndpointProvider(
        full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name="sts"
    ).provide()
    return found


def used_sts_endpoint(session: Any, config: Config | None) -> str | None:
    """The STS endpoint that clients of a botocore session use; None: AWS's own.

    Args:
        session: The session.
        config: Laid over its defaults.

    Raises:
        ConfigError: That can't be known: the settings are not valid, or the installed botocore has another way.
    """
    try:
        ignored = getattr(config, "ignore_configured_endpoint_urls", None)
        if ignored is None:
            ignored = session.get_config_variable("ignore_configured_endpoint_urls")
        return None if ignored else named_sts_endpoint(session)
    except XSessionError:
        raise
    except (BotoCoreError, ImportError, AttributeError, TypeError) as error:
        msg = f"the endpoint of STS can't be known: {without_text(error)}"
    raise ConfigError(msg)
