from __future__ import annotations

import logging
import threading

import pytest

from xsession._botocore import _log_filter


@pytest.fixture
def logger(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    """One of botocore's loggers, filtered."""
    found = logging.getLogger("botocore.parsers")
    caplog.set_level(logging.DEBUG)
    _log_filter.install_log_filter()
    return found


def test_what_this_thread_logs_while_it_calls_for_us_is_dropped(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    """Before and after, it is not; blocks may stand in blocks."""
    logger.debug("before")
    with _log_filter.unlogged():
        with _log_filter.unlogged():
            logger.debug("secret")
        logger.debug("secret")
    logger.debug("after")
    assert caplog.messages == ["before", "after"]


def test_other_threads_log_as_ever(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """A user's own requests are the user's."""
    with _log_filter.unlogged():
        thread = threading.Thread(target=logger.debug, args=["theirs"])
        thread.start()
        thread.join()
    assert caplog.messages == ["theirs"]


def test_an_error_ends_it_as_well(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    """A call that failed leaves nothing silent."""
    with pytest.raises(ValueError, match="no"), _log_filter.unlogged():
        int("no")
    logger.debug("after")
    assert caplog.messages == ["after"]


def test_installing_it_twice_filters_once(logger: logging.Logger) -> None:
    """Each new STS client installs it."""
    _log_filter.install_log_filter()
    assert logger.filters.count(_log_filter._FILTER) == 1


def test_only_botocores_loggers_are_filtered() -> None:
    """Ours and the application's are not."""
    _log_filter.install_log_filter()
    assert _log_filter._FILTER not in logging.getLogger("xsession").filters
    assert _log_filter._FILTER not in logging.getLogger().filters
