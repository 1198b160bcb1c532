"""What all tests share: how hard Hypothesis looks, and which tests may run beside others.

SPEEDDATA_PROOF=1 looks ten times as hard, and elsewhere each time.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadlines: the machines that run this are shared. Examples are bounded in size instead.
SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("ci", max_examples=100, derandomize=True, **SHARED)
settings.register_profile("short", max_examples=15, derandomize=True, **SHARED)  # for runs under a sanitizer
settings.register_profile("proof", max_examples=1000, **SHARED)
settings.load_profile("proof" if os.environ.get("SPEEDDATA_PROOF") == "1" else "ci")

# Under nohup, or in the background of a shell, what the tests start would ignore these too, as it should, and tests would wait.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Of two processes (`pytest -n 2`) one runs what needs relays, sockets and a share of the processor, one test after the
# other; the rest needs a processor only.
ANYWHERE = ("lib", "pivot", "test_dist.py", "test_house.py")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            part = item.path.relative_to(Path(__file__).parent).parts[0]
            group = str(item.path) if part in ANYWHERE else "machine"
            item.add_marker(pytest.mark.xdist_group(group))
