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
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import click

import speeddata
from speeddata import logs
from speeddata.errors import ConfigError, RelayError
from speeddata.exit_codes import CANNOT_START, USAGE
from speeddata.lock import sign_lock, take_lock
from speeddata.registry.app import create_app
from speeddata.registry.channels import Registry
from speeddata.registry.conditions import WITHOUT_PORT
from speeddata.registry.store import StoreError, open_store
from speeddata.relay.addresses import announce, api_names, archive_folder, own_ports, service_addresses
from speeddata.relay.client import KeeperClient
from speeddata.relay.data_folder import DataFolder
from speeddata.relay.doctor_check import Subject
from speeddata.relay.entrance import Entrance
from speeddata.relay.event_loop import EventLoop
from speeddata.relay.house_rules import HouseRules
from speeddata.relay.housekeeper import Housekeeper
from speeddata.relay.ingest_client import IngestClient
from speeddata.relay.log_collector import LogCollector
from speeddata.relay.notify import Notifier
from speeddata.relay.readiness import waited_for
from speeddata.relay.reconciler import Reconciler
from speeddata.relay.reload import Outcome, effective, refuse_absent, reload
from speeddata.relay.sealer import NAME as SEALING
from speeddata.relay.services import demo_pages, demo_sources, services
from speeddata.relay.supervisor import Supervisor
from speeddata.relay.system_state import SystemState
from speeddata.relay.watch import Watch
from speeddata.relay.web_server import WebServer, bind
from speeddata.run_options import RunOptions, run_options
from speeddata.settings import Settings, load_settings
from speeddata.times import format_time

__all__ = ["Orchestrator", "main"]

log = logging.getLogger(__name__)

SERVICES_GRACE_S = 3.0
RELOAD_LIMIT_S = 60.0
SHARED_RELAY_GRACE_S = 10.0  # as long as a keeper has for its relays: what it has is to be flushed
ANEW = "SIGUSR1"  # the signal that has us begin anew, with the code and settings of today, while the recording goes on
HELD = "SPEEDDATA_LOCK_"  # environment variable: the descriptor of a service's lock, over the exec
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Orchestrator:
    """Everything that `speeddata run` runs."""

    def __init__(
        self, options: RunOptions, settings: Settings, entrance: Entrance | None = None, *, demo: bool = False
    ) -> None:
        self.options = options
        self.settings = settings
        self.entrance = entrance or Entrance()
        self.demo = demo
        self.data = DataFolder(options.data_folder)
        self.archive = archive_folder(options, settings, self.data)
        self.started_ns = time.time_ns()
        self.loop = EventLoop()
        self.notifier = Notifier(self.loop)
        self.supervisor = Supervisor(self.loop)
        self.reconciler = Reconciler(self.loop, KeeperClient(self.data.path))
        self.registry: Registry | None = None
        self.housekeeper: Housekeeper | None = None
        self.system: SystemState | None = None
        self.collector = LogCollector(self._logs, self.data.log)
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
            self.entrance.open(self.options.services)
            undo.callback(self.supervisor.wait, SERVICES_GRACE_S, SHARED_RELAY_GRACE_S)
            self.collector.start()
            undo.callback(self.collector.stop)
            if "relay" in self.options.services:
                self._start_relay(undo)
            # Services are asked to end first and waited for last: they end while the relays flush.
            undo.callback(self.supervisor.stop)
            self._start_services()
            announce(self.options.services, self.settings, self.data, self.archive)
            self.up = True
            self.notifier.ready(f"{', '.join(self.options.services)} of {self.data.path}")
            while not self.stopping:
                self.loop.turn()
            if self.stopping == ANEW:
                # Who asks us to end from here on asks the one that we become.
                signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
                self.loop.forget(self._wake)
                self.notifier.begins_anew()
            else:
                self.notifier.stops()
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
        running, trouble = self.registry.relays.running()
        conditions = self.registry.catalogue.conditions(running, trouble)
        states = Counter(told["state"] for _, told, _ in conditions)
        states[WITHOUT_PORT] += sum(port is None for _, port, _ in self.registry.store.places())
        return {
            "version": speeddata.__version__,
            "data": str(self.data.path),
            "archive": self.housekeeper.to_json(),
            "registry": {"trouble": self.registry.store.instead_of or None},
            "started": format_time(self.started_ns),
            "pid": os.getpid(),
            "keeper": self.reconciler.to_json(trouble),
            "services": self.supervisor.to_json(),
            "channels": {"count": states.total(), "states": dict(+states)},
            "left_out": {"log_lines": self._log_lines_left_out(), "events": self.registry.events.left_out},
        }

    def waits_for(self) -> dict[str, list[str]]:
        """What should run and does not."""
        assert self.registry is not None, "asked by the API, which needs one"
        up = self.up and not self.stopping
        services, keeper = self.supervisor.not_serving(), self.reconciler.to_json()
        return waited_for(self.registry, up=up, services=services, keeper=keeper)

    def vitals(self) -> dict[str, Any]:
        """Processes and machine, with what they use."""
        assert self.system is not None, "begun before the API"
        return self.system.to_json()

    def usage(self, status: dict[str, Any], relays: Mapping[str, int | None]) -> list[dict[str, Any]]:
        """What every process has used since it began."""
        assert self.system is not None, "begun before the API"
        return self.system.usage(status, relays)

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
        store = open_store(self.data.registry)
        undo.callback(store.close)
        undo.push(lambda kind, *_: self._end_relays(failed=kind is not None))
        self.reconciler.start_keeper()
        folder, ports = self.settings.folder, own_ports(self.settings)
        ingest, looking = IngestClient(self.data), KeeperClient(self.data.path, hasty=True)
        registry = Registry(
            store, self.reconciler.keeper, relay, self.archive, folder, ports, ingest, looking
        )
        self.registry = registry
        registry.add_baseline(relay["channels"])
        self.reconciler.start_channels(registry)
        self.housekeeper = Housekeeper(registry, self.data, ingest)
        self.supervisor.end_strays([self.housekeeper.sealer.pidfile])
        self.housekeeper.start()
        undo.callback(self.housekeeper.stop)
        watch = Watch(registry, self._parts, lambda: self.reconciler.keeper_pid)
        watch.start()
        undo.callback(watch.stop)
        relays = functools.partial(registry.relays.running, stats=True)
        subject = Subject.of(self.settings, self.archive, self.options.config)
        self.system = SystemState(self.status, self.housekeeper.sealer.to_json, relays, subject=subject)
        folders = [self.data.pages, *(demo_pages() if self.demo else ())]
        app = create_app(registry, self, api_names(self.settings), folders, self.entrance.access)
        web = WebServer(app, listener)
        web.start()
        undo.callback(web.close)

    def _logs(self) -> dict[str, Path]:
        """What the processes say that we have started, by name."""
        own = ["keeper", SEALING] if "relay" in self.options.services else []
        return {name: self.data.log_file(name) for name in (*own, *self.supervisor.watches)}

    def _log_lines_left_out(self) -> dict[str, int]:
        """How many lines of each process were too many to be passed on, and how many of all were too many for the log."""
        of_children = {name: self.collector.left_out.get(name, 0) for name in self._logs()}
        return {"orchestrator": logs.left_out(), **of_children}

    def _parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What has a state beside the channels: kind, and how it fares."""
        assert self.housekeeper is not None, "begun before"
        yield "keeper", {"name": "keeper", **self.reconciler.to_json()}
        for service in self.supervisor.to_json():
            yield "service", service
        trouble = self.housekeeper.trouble
        yield "archive", {"name": "archive", "state": "degraded" if trouble else "active", "reason": trouble}

    def _start_services(self) -> None:
        """Start the services, after ending those of an orchestrator that was killed."""
        wanted = services(self.options.services, self.settings, self.data, self.archive, self.entrance.argv)
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

    def reload(self) -> dict[str, Any]:
        """Go over to the settings as they are now, for any thread; ConfigError tells all that is wrong with them."""
        done: Future[Outcome] = Future()

        def carry_out() -> None:
            try:
                done.set_result(self._reload())
            except BaseException as error:
                done.set_exception(error)

        self.loop.post(carry_out)
        return done.result(RELOAD_LIMIT_S).to_json()

    def _reload(self) -> Outcome:
        """The same, in the loop's own thread."""
        after = load_settings(self.options.config, self.options.overrides())
        if self.registry is not None:
            refuse_absent(self.settings, after)
        held = effective(self.settings, after)
        wanted = services(self.options.services, held, self.data, self.archive, self.entrance.argv)
        begin = self.reconciler.begin
        with self.loop.waiting(RELOAD_LIMIT_S):
            outcome = reload(self.settings, after, self.registry, self.supervisor, wanted, begin)
        if self.housekeeper is not None and self.registry is not None:
            self.housekeeper.rules = HouseRules(self.registry)
        self.settings = held
        for line in (*after.warnings, *outcome.lines()):
            log.info("%s", line)
        return outcome

    def _reload_by_signal(self) -> None:
        try:
            self._reload()
        except ConfigError as error:
            for problem in error.problems:
                log.error("settings are not taken: %s", problem)

    def _on_signals(self, numbers: bytes) -> None:
        """What asks for the end counts for more than what asks for another beginning."""
        for number in numbers:
            if number == signal.SIGHUP:
                self._reload_by_signal()
            elif self.stopping in ("", ANEW):
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
    os.environ[logs.VARIABLE] = options.log_format
    logs.set_up("orchestrator", options.log_format)
    try:
        settings = load_settings(options.config, options.overrides())
        entrance = Entrance.of(settings, options.services, DataFolder(options.data_folder))
    except ConfigError as error:
        fail("\n".join(error.problems), USAGE)
    for warning in settings.warnings:
        log.warning("%s", warning)
    try:
        orchestrator = Orchestrator(options, settings, entrance, demo=demo)
        orchestrator.run()
    except (RelayError, StoreError, OSError) as error:
        fail(str(error), CANNOT_START)
    if orchestrator.stopping == ANEW:
        logging.shutdown()
        orchestrator.notifier.give_back()
        os.execv(sys.executable, [sys.executable, "-P", "-m", "speeddata.relay.orchestrator", *sys.argv[1:]])


def fail(message: str, status: int) -> None:
    """Say what is wrong, and end."""
    for line in message.splitlines():
        print(f"speeddata: {line}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
