"""What all tests share: how hard Hypothesis looks. SPEEDDATA_PROOF=1 looks ten times as hard, and elsewhere each time."""

import os
import signal

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
