"""What becomes of live streams when the network does not take them, gives them back, or goes away: recording goes on."""

import contextlib
import errno
import json
import os
import runpy
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from line import NUMBERED, drain, make_spec, numbered, subscribe, wait_until
from numbered_channel import NumberedChannel, keeping
from own_network import ADDRESS, CARD, ip, needs_root, own_network, plug_in
from ports import free_port
from system import System, run
from tracing import Trace

from speeddata.errors import RelayError
from speeddata.relay.client import KeeperClient

RECEIVER = Path(__file__).parents[1] / "examples" / "receiver" / "receiver.py"
BY_CARD = ("--set", f"global.multicast.interface={ADDRESS}", "--set", "global.multicast.ttl=1")
EVERY_RECORD = {"decimation": {"algorithm": "downsample", "factor": 2}}


class Stand:
    """The whole system in a network of its own, and a channel whose live streams go by the card."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.sent = 0
        self.source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def register(self) -> None:
        self.system.register("engine", 26010, NUMBERED, **EVERY_RECORD)
        self.source.connect(("127.0.0.1", 26010))
        wait_until(lambda: self.told["state"] in ("active", "idle", "degraded"), "a relay")

    @property
    def told(self) -> dict[str, Any]:
        """What the API tells of the channel."""
        return dict(self.system.get("/channels/engine"))

    def send(self, count: int) -> dict[str, Any]:
        """Send records, which must all be recorded; the counters."""
        for _ in range(count):
            self.source.send(numbered(self.sent))
            self.sent += 1

        def recorded() -> Any:
            stats = self.told["stats"]
            done = stats["archived"] == self.sent == stats["forwarded"] + stats["forward_failed"]
            return stats if done and stats["decimated"] + stats["decimate_failed"] == self.sent // 2 else None

        stats: dict[str, Any] = wait_until(recorded, f"{self.sent} records")
        return stats

    def wait_for(self, state: str, reason: str) -> dict[str, Any]:
        """Wait until the channel is in a state for a reason."""
        return dict(
            wait_until(
                lambda: (told := self.told)["state"] == state and told["reason"] == reason and told,
                f"{state}: {reason}",
            )
        )

    def live(self) -> dict[str, Any]:
        """What the live server tells of the channel; nothing while it does not know it."""
        address = f"http://127.0.0.1:{self.system.websocket_port}/status"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
            return dict(json.load(answer)["channels"].get("engine", {}))
        return {}

    @property
    def live_server(self) -> dict[str, Any]:
        """What the API tells of the live server."""
        (told,) = [one for one in self.system.get("/status")["services"] if one["name"] == "stripchart"]
        return dict(told)

    def metric(self, stream: str) -> int:
        """Whether the metrics tell that a stream is not sent."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.system.api_port}/metrics", timeout=10) as answer:
            line = f'speeddata_channel_stream_failing{{channel="engine",stream="{stream}"}} '
            (value,) = [text for text in answer.read().decode().splitlines() if text.startswith(line)]
        return int(value.rpartition(" ")[2])

    def is_watched(self) -> bool:
        """Whether what is sent now gets to the live server."""
        before = self.live().get("records", 0)
        self.send(2)
        return bool(self.live().get("records", 0) > before)


@pytest.fixture
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with own_network(), run(tmp_path / "data", *BY_CARD) as system:
        made = Stand(system)
        yield made
        made.source.close()


@pytest.mark.netns
@needs_root
def test_fault_59_a_link_that_is_down_stops_no_recording(stand: Stand) -> None:
    plug_in()
    stand.register()
    stats = stand.send(100)
    assert (stats["forwarded"], stats["decimated"]) == (100, 50)
    assert (stats["forward_error"], stats["decimate_error"]) == (None, None)
    ip(f"link set {CARD} down")
    stats = stand.send(100)
    assert (stats["forward_failed"], stats["decimate_failed"]) == (100, 50)
    wrong = "Network is unreachable"
    assert (stats["forward_error"], stats["decimate_error"]) == (wrong, wrong)
    stand.wait_for("degraded", f"not sent live, full_rate: {wrong}; decimated: {wrong}")
    assert (stand.metric("full_rate"), stand.metric("decimated")) == (1, 1)
    events = stand.system.get("/events?channel=engine")["events"]
    assert any(one["to"] == "degraded" for one in events)
    ip(f"link set {CARD} up")
    stats = stand.send(100)
    assert (stats["forwarded"], stats["decimated"]) == (200, 100)
    assert (stats["forward_error"], stats["decimate_error"]) == (None, None)
    stand.wait_for("active", "")
    assert (stand.metric("full_rate"), stand.metric("decimated")) == (0, 0)


@pytest.mark.parametrize("name", ["ECONNREFUSED", "ENOBUFS", "ENETDOWN", "ENODEV", "EPERM", "EHOSTUNREACH"])
def test_fault_59_whatever_sending_fails_with_is_counted_and_told(tmp_path: Path, name: str) -> None:
    wrong = os.strerror(getattr(errno, name))
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **EVERY_RECORD) as channel:
        with Trace(channel.pid, [f"sendmmsg:error={name}"]):
            channel.send(100)
            stats = channel.settle()
            wait_until(lambda: channel.stats["decimate_failed"] == 50, "the decimated stream")
            assert (stats["forwarded"], stats["forward_failed"]) == (0, 100)
            assert (channel.stats["forward_error"], channel.stats["decimate_error"]) == (wrong, wrong)
            reason = f"not sent live, full_rate: {wrong}; decimated: {wrong}"
            assert (channel.state["state"], channel.state["reason"]) == ("degraded", reason)
        channel.send(100)
        stats = channel.settle()
        wait_until(lambda: channel.stats["decimated"] == 50, "the decimated stream")
        assert (stats["forwarded"], stats["forward_error"]) == (100, None)
        assert channel.stats["decimate_error"] is None
        assert channel.state["state"] == "active"


def test_fault_59_the_next_relay_knows_that_sending_fails(tmp_path: Path) -> None:
    """Packets that came are no proof that one was sent."""
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path) as channel:
        with Trace(channel.pid, ["sendmmsg:error=ENOBUFS"]):
            channel.send(10)
            channel.settle()
        keeper.replace("test")
        channel.wait_ready()
        channel.source.send(b"no record")
        wait_until(lambda: sum(channel.stats["rejected"].values()) == 1, "the refusal")
        assert channel.stats["forward_error"] == os.strerror(errno.ENOBUFS)
        without = channel.spec | {"full_rate": False}
        keeper.replace("test", without)
        channel.wait_ready()
        assert channel.stats["forward_error"] is None, "what is not to be sent does not fail"


@pytest.mark.netns
@needs_root
@pytest.mark.usefixtures("network")
def test_fault_60_what_is_sent_live_does_not_come_back(tmp_path: Path) -> None:
    """Inputs on all addresses, whose ports are those of their own groups and of each other's."""
    ports = [free_port(), free_port()]
    specs = []
    for number, (own, other) in enumerate((ports, ports[::-1])):
        multicast = {
            "full_rate": {"address": f"239.255.62.{number + 1}", "port": own},
            "decimated": {"address": f"239.255.63.{number + 1}", "port": other},
        }
        spec = make_spec(tmp_path, port=own, listen="0.0.0.0", multicast=multicast, **EVERY_RECORD)
        specs.append(spec | {"name": f"c{number}", "archive": str(tmp_path / f"c{number}")})
    with contextlib.ExitStack() as undo:
        keeper = undo.enter_context(keeping(tmp_path))
        for spec in specs:
            keeper.start(spec)
            for group in spec["multicast"].values():  # who joins a group has the host take what comes for it
                undo.enter_context(subscribe(group["address"], group["port"] + 5))
        source = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for spec in specs:
            for n in range(100):
                source.sendto(numbered(n), ("127.0.0.1", spec["port"]))
        for spec in specs:
            settle(keeper, spec["name"], 100)
        # All that was sent live is sent by now, and would have come.
        for spec in specs:
            stats = keeper.stats(spec["name"])
            assert (stats["packets"], stats["archived"], sum(stats["rejected"].values())) == (100, 100, 0)
            sources = keeper.list(spec["name"], sources=True)[0]["sources"]
            assert [one["port"] for one in sources] == [source.getsockname()[1]]


@pytest.mark.netns
@needs_root
@pytest.mark.usefixtures("network")
def test_fault_60_an_example_subscriber_hears_its_group_alone() -> None:
    plug_in()
    subscribe_to = runpy.run_path(str(RECEIVER))["subscribe"]
    group, other = ("239.255.64.1", 47400), ("239.255.64.2", 47400)
    with (
        subscribe_to(*group, "127.0.0.1") as heard,
        subscribe(*group, ADDRESS),
        subscribe(*other) as of_other,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
    ):
        for interface, to in ((ADDRESS, group), ("127.0.0.1", other), ("127.0.0.1", group)):
            source.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            source.sendto(f"{interface} {to[0]}".encode(), to)
        assert of_other.recv(100) == b"127.0.0.1 239.255.64.2"
        assert drain(heard) == [b"127.0.0.1 239.255.64.1"]


def settle(keeper: KeeperClient, name: str, sent: int) -> None:
    """Wait until a channel has written and sent what came."""

    def done() -> bool:
        stats = keeper.stats(name)
        return (stats["forwarded"], stats["decimated"], stats["archived"]) == (sent, sent // 2, sent)

    try:
        wait_until(done, "the streams")
    except AssertionError as error:
        raise AssertionError(f"{error}: {keeper.stats(name)}") from None


def test_fault_60_a_group_is_refused_as_an_input(tmp_path: Path) -> None:
    with keeping(tmp_path) as keeper:
        spec = make_spec(tmp_path, port=free_port())
        own = spec["multicast"]["full_rate"]
        with pytest.raises(RelayError, match="a multicast group is no input"):
            keeper.start(spec | {"listen": own["address"], "port": own["port"]})
        assert keeper.list() == []


@pytest.mark.netns
@needs_root
def test_fault_60_the_registry_gives_no_channel_the_port_of_a_stream(stand: Stand) -> None:
    plug_in()
    stand.register()
    for stream, group in stand.told["multicast"].items():
        body = {"name": "loop", "port": group["port"], "schema": NUMBERED}
        status, answer = stand.system.ask("POST", "/api/v1/channels", body)
        assert (status, answer["used_by"]) == (409, f"multicast of engine ({stream})")


@pytest.mark.netns
@needs_root
def test_fault_61_an_interface_that_goes_and_comes_back(stand: Stand) -> None:
    """Before there is a card, with it, without, with another one: all is recorded, and what can be is sent and watched."""
    absent = f"no interface has the address {ADDRESS}"
    stand.register()
    stats = stand.send(10)
    assert (stats["forward_failed"], stats["forward_error"]) == (10, "the interface to send by was not there")
    for card in (CARD, "another"):
        stand.wait_for("degraded", f"not sent live (full_rate, decimated): {absent}")
        wait_until(lambda: "trouble" in stand.live(), "the live server's trouble")
        wait_until(lambda: stand.live_server["state"] == "degraded", "the same by the API")
        assert stand.live_server["reason"].startswith("cannot ")
        assert ADDRESS in stand.live_server["reason"]
        failed = stand.send(10)["forward_failed"]
        plug_in(card)
        wait_until(stand.is_watched, "packets at the live server")
        assert "trouble" not in stand.live()
        stats = stand.send(10)
        assert stats["forward_error"] is stats["decimate_error"] is None
        assert stats["forwarded"] >= 10
        assert stats["forward_failed"] >= failed
        stand.wait_for("active", "")
        wait_until(lambda: stand.live_server["state"] == "active", "a live server that is well")
        ip(f"link del {card}")
        assert stand.send(10)["forward_error"] is not None
    assert stand.told["restarts"] == 0


@pytest.mark.netns
@needs_root
def test_fault_61_an_address_that_moves_to_another_interface(stand: Stand) -> None:
    plug_in()
    plug_in("another", "10.81.0.1")
    stand.register()
    wait_until(stand.is_watched, "packets at the live server")
    ip(f"addr del {ADDRESS}/24 dev {CARD}", f"addr add {ADDRESS}/24 dev another")
    with subscribe(*stand.told["multicast"]["full_rate"].values(), ADDRESS) as heard:
        heard.setblocking(False)

        def comes() -> bool:
            stand.send(2)
            with contextlib.suppress(BlockingIOError):
                return bool(heard.recv(1000))
            return False

        wait_until(comes, "packets by the other interface")
    wait_until(stand.is_watched, "packets at the live server")
    stand.wait_for("active", "")


@pytest.mark.netns
@needs_root
@pytest.mark.usefixtures("network")
def test_fault_61_a_keeper_that_follows_another_finds_the_way_too(tmp_path: Path) -> None:
    """It gets the sockets of relays that live, and the interface may have gone and come meanwhile."""
    plug_in()
    multicast = make_spec(tmp_path)["multicast"] | {"interface": ADDRESS, "ttl": 1}
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, multicast=multicast) as channel:
        channel.send(10)
        channel.settle()
        pid = channel.pid
        keeper.leave()
        ip(f"link del {CARD}")
        plug_in()
        channel.send(10)
        KeeperClient(tmp_path / "data").start_keeper()
        wait_until(lambda: keeper.list("test"), "the next keeper")

        def goes() -> bool:
            channel.send(1)
            return channel.settle()["forward_error"] is None

        wait_until(goes, "live streams")
        assert channel.state["pid"] == pid
