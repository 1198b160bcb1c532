"""What all tests share: how hard Hypothesis looks, and which tests may run beside others.

SPEEDDATA_PROOF=1 looks ten times as hard, and elsewhere each time.
"""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# No deadlines: the machines that run this are shared. Examples are bounded in size instead.
SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("ci", max_examples=40, derandomize=True, **SHARED)
settings.register_profile("short", max_examples=15, derandomize=True, **SHARED)  # for runs under a sanitizer
settings.register_profile("proof", max_examples=1000, **SHARED)
settings.load_profile("proof" if os.environ.get("SPEEDDATA_PROOF") == "1" else "ci")

# Of what the tests start, little needs a library for matrices, whose threads take half of numpy's time to start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Under nohup, or in the background of a shell, what the tests start would ignore these too, as it should, and tests would wait.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Of four processes (`pytest -n 4`) two run what needs relays, sockets and a share of the processor (one the relays' own tests,
# one those of the whole), and one live pages in a browser, each one test after the other; the rest needs a processor only, goes
# file by file to whoever is free, and gives way. It takes what the waits of the others leave of two cores.
NICE = 10
ANYWHERE = (
    "tests/lib/",
    "tests/pivot/",
    "tests/browser/test_history",
    "tests/relay/test_ingest",
    "tests/test_api_cases.py",
    "tests/test_dist.py",
    "tests/test_export_memory.py",
    "tests/test_house.py",
    "tests/test_notebooks.py",
    "tests/test_recordings.py",
)


LONG = (  # the first of them, so that none is the last of all
    "tests/lib/test_sanitize.py",
    "tests/test_dist.py",
    "tests/browser/test_history.py",
    "tests/browser/test_history_first.py",
    "tests/test_api_cases.py",
    "tests/test_notebooks.py",
    "tests/test_export_memory.py",
)


QUEUES = {"relays": "tests/relay/", "pages": "tests/browser/"}


def queue_of(nodeid: str) -> str:
    if nodeid.startswith(ANYWHERE):
        return nodeid.partition("::")[0]
    return next((queue for queue, folder in QUEUES.items() if nodeid.startswith(folder)), "machine")


class Queues(LoadScopeScheduling):
    """Queues for the machine, for relays and for live pages, and one for each file that may run beside others."""

    def _split_scope(self, nodeid: str) -> str:
        return queue_of(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the queues in the order in which they are to be begun."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        first = ("machine", *QUEUES, *LONG)
        ranks = {queue: rank for rank, queue in enumerate(first)}
        items.sort(key=lambda item: ranks.get(queue_of(item.nodeid), len(ranks)))


gave_way = False


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way, with all that is started from here on, when the tests are those that may run beside others."""
    global gave_way
    if not gave_way and "PYTEST_XDIST_WORKER" in os.environ and item.nodeid.startswith(ANYWHERE):
        gave_way = True
        os.nice(NICE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Queues:
    config.option.loadscopereorder = False
    return Queues(config, log)
