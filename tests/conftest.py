"""What holds for every test."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from shared.bootstrap import fanout

# Machines are noisy, and tests run side by side: what takes long is no failure.
settings.register_profile("noisy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy machine")

# Whoever runs the tests in the background of a script has Ctrl-C ignored, and all processes that they start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="module")
def no_cloud_is_left_to_child_processes() -> Iterator[None]:
    """MLClient leaves its cloud's name in the environment; a process that inherits it without the metadata cannot import it."""
    yield
    os.environ.pop("AZUREML_CURRENT_CLOUD", None)


@pytest.fixture(autouse=True, scope="module")
def settings_are_read_anew() -> Iterator[None]:
    """Commands that run in this process keep what they connected to."""
    yield
    fanout.cache_clear()
