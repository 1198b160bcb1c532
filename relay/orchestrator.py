"""The orchestrator: one process that sees that everything runs, and answers the registration API.

`speeddata run` becomes this. It keeps nothing that matters: what should run is in the registry, what runs is asked of
the keeper, so that it may be killed and started again at any time without the recording taking notice.
"""

import contextlib
import functools
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

import speeddata
from speeddata.errors import ConfigError, RelayError
from speeddata.lock import sign_lock, take_lock
from speeddata.registry.app import create_app
from speeddata.registry.channels import Registry
from speeddata.registry.store import Store, StoreError
from speeddata.relay.addresses import announce, api_names, archive_folder, own_ports, service_addresses
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.event_loop import EventLoop
from speeddata.relay.housekeeper import Housekeeper
from speeddata.relay.ingest_client import IngestClient
from speeddata.relay.reconciler import Reconciler
from speeddata.relay.services import demo_pages, demo_sources, services
from speeddata.relay.supervisor import Supervisor
from speeddata.relay.system_state import SystemState
from speeddata.relay.web_server import WebServer, bind
from speeddata.run_options import RunOptions, exposed, run_options
from speeddata.settings import Settings, load_settings
from speeddata.times import format_time

__all__ = ["Orchestrator", "main"]

log = logging.getLogger(__name__)

USAGE, CANNOT_START = 2, 3
SERVICES_GRACE_S = 3.0
SHARED_RELAY_GRACE_S = 10.0  # as long as a keeper has for its relays: what it has is to be flushed
ANEW = "SIGUSR1"  # the signal that has us begin anew, with the code and settings of today, while the recording goes on
HELD = "SPEEDDATA_LOCK_"  # environment variable: the descriptor of a service's lock, over the exec
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Orchestrator:
    """Everything that `speeddata run` runs."""

    def __init__(self, options: RunOptions, settings: Settings, *, demo: bool = False) -> None:
        self.options = options
        self.settings = settings
        self.demo = demo
        self.data = DataFolder(options.data_folder)
        self.archive = archive_folder(options, settings, self.data)
        self.started_ns = time.time_ns()
        self.loop = EventLoop()
        self.supervisor = Supervisor(self.loop)
        self.reconciler = Reconciler(self.loop, KeeperClient(self.data.path))
        self.registry: Registry | None = None
        self.housekeeper: Housekeeper | None = None
        self.system: SystemState | None = None
        # Everything has been started.
        self.up = False
        self.locks: dict[str, int] = {}
        # Set by a signal; names it.
        self.stopping = ""
        self._wake = -1  # readable when a signal has come

    def run(self) -> None:
        """Run until told to stop. RelayError, StoreError, OSError: it cannot start."""
        with contextlib.ExitStack() as undo:
            undo.callback(self.loop.close)
            undo.enter_context(self._signals())
            self.data.make()
            undo.callback(self._let_go)
            for service in self.options.services:
                self._take_lock(service)
            undo.callback(self.supervisor.wait, SERVICES_GRACE_S, SHARED_RELAY_GRACE_S)
            if "relay" in self.options.services:
                self._start_relay(undo)
            # Services are asked to end first and waited for last: they end while the relays flush.
            undo.callback(self.supervisor.stop)
            self._start_services()
            announce(self.options.services, self.settings, self.data, self.archive)
            self.up = True
            while not self.stopping:
                self.loop.turn()
            if self.stopping == ANEW:
                # Who asks us to end from here on asks the one that we become.
                signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
                self.loop.forget(self._wake)
            log.info("%s: %s", self.stopping, "beginning anew" if self.stopping == ANEW else "stopping")
        log.info("recording goes on" if self.stopping == ANEW else "everything has ended")

    def _take_lock(self, service: str) -> None:
        """Lock a service of this data folder. Who begins anew has the locks already."""
        path = self.data.lock(service)
        held = os.environ.pop(HELD + service, None)
        if held is None:
            self.locks[service] = take_lock(path, f"{self.data.path} is in use by process {{pid}}")
        else:
            self.locks[service] = int(held)
            os.set_inheritable(int(held), False)
            sign_lock(int(held))

    def _let_go(self) -> None:
        """Let go of the locks; who begins anew keeps them, so that at no instant another could have them."""
        for service, lock in self.locks.items():
            if self.stopping == ANEW:
                os.set_inheritable(lock, True)
                os.environ[HELD + service] = str(lock)
            else:
                os.close(lock)

    def services(self) -> dict[str, dict[str, Any] | None]:
        """Where the live data and the history are."""
        return service_addresses(self.settings)

    def instance(self) -> str:
        """What tells this data folder from others."""
        return self.data.instance()

    def status(self) -> dict[str, Any]:
        """The whole system."""
        assert self.registry is not None, "asked by the API, which needs one"
        assert self.housekeeper is not None, "begun before the API"
        states = Counter(channel["state"] for channel in self.registry.conditions())
        return {
            "version": speeddata.__version__,
            "data": str(self.data.path),
            "archive": self.housekeeper.to_json(),
            "started": format_time(self.started_ns),
            "pid": os.getpid(),
            "keeper": self.reconciler.to_json(),
            "services": self.supervisor.to_json(),
            "channels": {"count": states.total(), "states": dict(states)},
        }

    def vitals(self) -> dict[str, Any]:
        """Processes and machine, with what they use."""
        assert self.system is not None, "begun before the API"
        return self.system.to_json()

    def examine(self) -> dict[str, Any]:
        """What should be mended on this machine."""
        assert self.system is not None, "begun before the API"
        return self.system.examine()

    def _start_relay(self, undo: contextlib.ExitStack) -> None:
        """Start the keeper, the channels and the API; `undo` ends them in the opposite order."""
        relay = self.settings.flat["relay"]
        try:
            listener = undo.enter_context(bind(relay["host"], relay["api.port"]))
        except RelayError as error:
            raise RelayError(f"{error} (--api-port takes another)") from None
        store = Store(self.data.registry)
        undo.callback(store.close)
        undo.push(lambda kind, *_: self._end_relays(failed=kind is not None))
        self.reconciler.start_keeper()
        folder, ports = self.settings.folder, own_ports(self.settings)
        ingest = IngestClient(self.data)
        registry = Registry(store, self.reconciler.keeper, relay, self.archive, folder, ports, ingest)
        self.registry = registry
        registry.add_baseline(relay["channels"])
        self.reconciler.start_channels(registry)
        self.housekeeper = Housekeeper(registry, self.data, ingest)
        self.supervisor.end_strays([self.housekeeper.sealer.pidfile])
        self.housekeeper.start()
        undo.callback(self.housekeeper.stop)
        relays = functools.partial(registry.relays.running, stats=True)
        self.system = SystemState(self.status, self.housekeeper.sealer.to_json, relays)
        folders = [self.data.pages, *(demo_pages() if self.demo else ())]
        web = WebServer(create_app(registry, self, api_names(self.settings), folders), listener)
        web.start()
        undo.callback(web.close)

    def _start_services(self) -> None:
        """Start the services, after ending those of an orchestrator that was killed."""
        wanted = services(self.options.services, self.settings, self.data, self.archive)
        former = [service.pidfile for service in wanted]
        if "relay" in self.options.services:
            former += [source.pidfile for source in demo_sources(self.settings, self.data)]
        self.supervisor.end_strays(former)
        self.supervisor.start([*wanted, *(demo_sources(self.settings, self.data) if self.demo else ())])

    def _end_relays(self, *, failed: bool) -> None:
        """End the recording; where we fail it goes on, unless it has not begun."""
        if self.stopping == ANEW:
            self.reconciler.leave()
        elif failed and (self.up or self.reconciler.adopted):
            self.reconciler.leave()
            log.error("recording goes on; speeddata stop --data %s ends it", self.data.path)
        else:
            self.reconciler.stop()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Have the loop wake on signals; handlers themselves do nothing."""
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake = wake
        former_fd = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        former = {number: signal.getsignal(number) for number in SIGNALS}
        for number, handler in former.items():
            if handler is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, lambda *_: None)
        self.loop.watch(wake, lambda: self._on_signals(os.read(wake, 64)))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # as they are where we have begun anew
        try:
            yield
        finally:
            signal.set_wakeup_fd(former_fd)
            if self.stopping == ANEW:
                _pass_on(wake)
            for number, handler in former.items():
                signal.signal(number, handler)
            os.close(wake)
            os.close(waker)

    def _on_signals(self, numbers: bytes) -> None:
        """What asks for the end counts for more than what asks for another beginning."""
        for number in numbers:
            if self.stopping in ("", ANEW):
                self.stopping = signal.Signals(number).name


def _pass_on(wake: int) -> None:
    """Send ourselves again what has come meanwhile, for the one that we become: it is blocked until then."""
    with contextlib.suppress(BlockingIOError):
        for number in os.read(wake, 64):
            os.kill(os.getpid(), number)


@click.command()
@run_options
@click.option("--demo", is_flag=True, help="Run the demo's sources too.")
def main(options: RunOptions, demo: bool) -> None:
    """Run SpeedData in the foreground."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.Formatter.converter = time.gmtime
    try:
        settings = load_settings(options.config, options.overrides())
    except ConfigError as error:
        fail("\n".join(error.problems), USAGE)
    guard(options, settings)
    for warning in settings.warnings:
        log.warning("%s", warning)
    try:
        orchestrator = Orchestrator(options, settings, demo=demo)
        orchestrator.run()
    except (RelayError, StoreError, OSError) as error:
        fail(str(error), CANNOT_START)
    if orchestrator.stopping == ANEW:
        logging.shutdown()
        os.execv(sys.executable, [sys.executable, "-P", "-m", "speeddata.relay.orchestrator", *sys.argv[1:]])


def guard(options: RunOptions, settings: Settings) -> None:
    """Refuse to be seen beyond this machine unless told to."""
    addresses = ", ".join(exposed(settings, options.services))
    if addresses and not options.insecure:
        fail(f"anybody who reaches {addresses} could read and change everything; --insecure allows it", USAGE)
    if addresses:
        log.warning("insecure: anybody who reaches %s can read and change everything", addresses)


def fail(message: str, status: int) -> None:
    """Say what is wrong, and end."""
    for line in message.splitlines():
        print(f"speeddata: {line}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
