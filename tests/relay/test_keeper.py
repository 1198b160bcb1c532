"""The keeper and its client: start, stop, restart, back-off, change; kills and adoption are in test_adoption."""

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import struct
from pathlib import Path

import pytest
from line import make_spec, numbered, read_records, subscribe, wait_until
from ports import free_port
from processes import open_files
from sender import Sender

from speeddata.errors import RelayError
from speeddata.relay.charge import QUICK_DEATHS
from speeddata.relay.client import KeeperClient


def test_one_keeper_answers_every_client(keeper, spec):
    pid = keeper.ping()["pid"]
    assert KeeperClient(keeper.data).start_keeper() == pid
    assert os.getsid(pid) != os.getsid(0), "a session of its own"
    relay = keeper.start(spec)
    assert keeper.start(spec) == relay
    (channel,) = KeeperClient(keeper.data).list()
    assert (channel["name"], channel["pid"]) == ("test", relay)
    assert channel["state"] in ("starting", "active")
    wait_until(lambda: keeper.list()[0]["state"] == "active")


def test_start_send_stop(keeper, spec):
    keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["records"] > 1000)
    sent = sender.finish()
    keeper.stop("test")
    assert keeper.list() == []
    assert [r["n"] for r in read_records(keeper.data.parent / "archive" / "test")] == list(range(sent))


def test_streams_keep_their_source_over_a_restart(keeper, spec):
    with (
        subscribe(**spec["multicast"]["full_rate"]) as subscriber,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        pid = keeper.start(spec)
        source = keeper.stats("test")["full_rate_source"]
        sender.connect(("127.0.0.1", spec["port"]))
        sender.send(numbered(0))
        assert subscriber.recvfrom(1000)[1] == (source["address"], source["port"])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: keeper.list()[0]["pid"] not in (None, pid))
        sender.send(numbered(1))
        assert subscriber.recvfrom(1000)[1] == (source["address"], source["port"])


def test_fault_29_a_relay_that_ends_at_once_is_backed_off(keeper, spec, tmp_path):
    (tmp_path / "archive").write_text("a file where a folder should be")
    other = make_spec(tmp_path, name="other", port=free_port(), archive=str(tmp_path / "others"))
    pid = keeper.start(other)
    keeper.start(spec)
    channel = wait_until(
        lambda: (c := keeper.list("test")[0])["restarts"] >= 2 and c["state"] == "backoff" and c
    )
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(numbered(0), ("127.0.0.1", other["port"]))
    wait_until(lambda: keeper.stats("other")["records"] == 1)
    assert (keeper.list("other")[0]["pid"], keeper.list("other")[0]["restarts"]) == (pid, 0)
    keeper.stop("other")
    assert channel["reason"].startswith("exit status 3: [Errno 20] Not a directory: ")
    (tmp_path / "archive").unlink()
    wait_until(
        lambda: (tmp_path / "archive" / "test" / ".lock").exists() and keeper.list()[0]["state"] == "active"
    )
    assert keeper.list()[0]["reason"] == ""


def test_what_cannot_start_says_why(keeper, spec, tmp_path):
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", spec["port"]))
        with pytest.raises(RelayError, match=rf"port {spec['port']} on 127\.0\.0\.1 is in use"):
            keeper.start(spec)
    keeper.start(spec)
    with pytest.raises(RelayError, match="runs already, with other settings"):
        keeper.start(spec | {"framing": "single_object"})
    with pytest.raises(RelayError, match="no relay for channel 'nobody'"):
        keeper.stop("nobody")
    with pytest.raises(RelayError, match="time"):
        keeper.start(make_spec(tmp_path, {"type": "record", "name": "x", "fields": []}, name="timeless"))
    assert len(keeper.list()) == 1


def test_fault_34_a_second_relay_of_a_port_is_refused_and_takes_no_packet_of_the_first(
    keeper, spec, tmp_path
):
    """Of another data folder, and of another keeper for the same archive: neither begins."""
    pid = keeper.start(spec)
    other = KeeperClient(tmp_path / "other")
    other.start_keeper()
    try:
        for archive in (tmp_path / "elsewhere", spec["archive"]):
            with pytest.raises(
                RelayError, match=rf"port {spec['port']} on 127\.0\.0\.1 is in use \(by process"
            ):
                other.start(spec | {"archive": str(archive)})
        assert other.list() == []
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for n in range(100):
                sender.sendto(numbered(n), ("127.0.0.1", spec["port"]))
        wait_until(lambda: keeper.stats("test")["records"] == 100)
        assert keeper.list()[0]["pid"] == pid
    finally:
        other.shutdown()


def test_a_relay_that_dies_of_itself_is_backed_off_though_it_waited_for_packets(keeper, spec):
    """Being ready is no work: only packets are."""
    keeper.start(spec)
    for kill in range(QUICK_DEATHS + 1):
        channel = wait_until(lambda n=kill: (c := keeper.list()[0])["restarts"] == n and c["pid"] and c)
        wait_until(lambda n=kill: log_of(keeper).count("relaying from") > n)
        os.kill(channel["pid"], signal.SIGKILL)
    channel = wait_until(lambda: (c := keeper.list()[0])["state"] == "backoff" and c)
    assert (channel["deaths"], channel["death"]) == (QUICK_DEATHS + 1, "SIGKILL")


def log_of(keeper):
    return (keeper.data / "log" / "keeper.log").read_text()


def test_what_a_hung_relay_had_received_is_written_by_a_successor(keeper, spec):
    """It does not answer to being stopped, as if its disk hung, and is killed."""
    pid = keeper.start(spec | {"block_age_s": 60.0})
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for n in range(10):
            sender.sendto(numbered(n), ("127.0.0.1", spec["port"]))
        wait_until(lambda: keeper.stats("test")["records"] == 10)
        os.kill(pid, signal.SIGSTOP)
        for n in range(10, 20):
            sender.sendto(numbered(n), ("127.0.0.1", spec["port"]))
    keeper.stop("test")
    assert [r["n"] for r in read_records(keeper.data.parent / "archive" / "test")] == list(range(20))


def test_what_no_successor_can_write_is_said(keeper, spec, tmp_path):
    pid = keeper.start(spec | {"block_age_s": 60.0})
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for n in range(10):
            sender.sendto(numbered(n), ("127.0.0.1", spec["port"]))
        wait_until(lambda: keeper.stats("test")["records"] == 10)
    os.kill(pid, signal.SIGSTOP)
    (tmp_path / "archive").rename(tmp_path / "gone")
    (tmp_path / "archive").write_text("a file where a folder should be")
    with pytest.raises(RelayError, match="10 records that it had received are lost"):
        keeper.stop("test")
    assert keeper.list() == []


def test_two_keepers_on_one_folder_cannot_be(keeper):
    pid = keeper.ping()["pid"]
    assert KeeperClient(keeper.data)._spawn() == 3
    assert f"a keeper runs already, process {pid}" in KeeperClient(keeper.data)._last_words()


def test_a_garbled_request_harms_nobody(keeper):
    garbled = b"\n", b"{}\n", b'{"op": "fly"}\n', b'{"op": 3}\n', b"[]\n", b"\xff\xfe\n", b'{"op": "start"}\n'
    for request in (*garbled, b'{"op": "start", "spec": 3}\n', b'{"op": "stop"}\n'):
        assert b'"ok": false' in keeper._exchange(request)
    assert keeper.ping()


def test_shutdown_flushes_everything(keeper, spec):
    relay = keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["records"] > 100)
    sent = sender.finish()
    keeper.shutdown()
    wait_until(lambda: keeper.ping() is None)
    assert not os.path.exists(f"/proc/{relay}")
    assert len(read_records(keeper.data.parent / "archive" / "test")) == sent


def test_a_relay_holds_nothing_of_the_keeper_or_of_other_channels(keeper, spec, tmp_path):
    keeper.start(spec)
    other = make_spec(tmp_path / "other", port=free_port(), name="other")
    pids = [keeper.start(other), keeper.list("test")[0]["pid"]]
    wait_until(lambda: len(list((keeper.data / "run").glob("relay-*.sock"))) == 2)
    for pid in pids:
        held = open_files(pid).values()
        memory = [name for name in held if name.startswith("/memfd:")]
        assert len(memory) == 1
        # Two groups, the input, and its own door.
        assert len([name for name in held if name.startswith("socket:")]) == 4
        assert not [name for name in held if name.endswith((".sock", "keeper.lock"))]


def test_without_a_keeper_calls_say_so(tmp_path):
    client = KeeperClient(tmp_path)
    assert client.ping() is None
    with pytest.raises(RelayError, match="no keeper in"):
        client.list()


def test_what_was_asked_by_somebody_who_gave_up_is_not_done(keeper, spec):
    pid = keeper.ping()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(keeper.data / "run" / "keeper.sock"))
            client.sendall(json.dumps({"op": "start", "spec": spec}).encode() + b"\n")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert keeper.ping()["channels"] == 0


def test_a_keeper_without_descriptors_answers_when_it_has_some(keeper, spec):
    keeper.start(spec)
    pid = keeper.ping()["pid"]
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert soft == hard, "as many as there may be"
    most = max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 8
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.connect(str(keeper.data / "run" / "keeper.sock"))
        wait_until(lambda: "nobody can be answered just now" in log_of(keeper))
    assert keeper.ping() == {"pid": pid, "channels": 1}
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most - 6, hard))
    with pytest.raises(RelayError, match="Too many open files"):
        keeper.start({**spec, "name": "more", "port": free_port(), "archive": f"{spec['archive']}2"})
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert keeper.list("test")[0]["state"] == "active"


def test_a_channel_whose_folder_is_deleted_gets_a_new_one_and_loses_nothing_that_comes_then(keeper, spec):
    folder = keeper.data.parent / "archive" / "test"
    keeper.start(spec)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", spec["port"]))
        sender.send(numbered(0))
        wait_until(lambda: keeper.stats("test")["durable"] == 1)
        shutil.rmtree(folder.parent)
        for n in range(1, 10):
            sender.send(numbered(n))
            wait_until(lambda n=n: keeper.stats("test")["archived"] == n + 1)
    assert keeper.list("test")[0]["restarts"] == 1
    assert "folder has been deleted" in log_of(keeper)
    keeper.stop("test")
    assert [r["n"] for r in read_records(folder)] == list(range(1, 10))


def test_a_relay_runs_on_the_cores_it_is_given(keeper, spec):
    core = min(os.sched_getaffinity(0))
    pid = keeper.start(spec | {"cpus": [core]})
    wait_until(lambda: os.sched_getaffinity(pid) == {core})
    with pytest.raises(RelayError, match=r"cpus: \[4095\] cannot be had, there are \["):
        keeper.start(spec | {"name": "other", "port": free_port(), "cpus": [4095]})


def test_decimation_changes_while_the_relay_runs(keeper, spec):
    pid = keeper.start(spec | {"decimation": {"algorithm": "downsample", "factor": 10, "rate_hz": None}})
    with (
        subscribe(**spec["multicast"]["decimated"]) as subscriber,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(("127.0.0.1", spec["port"]))

        def decimated(count):
            for n in range(100):
                sender.send(numbered(n, float(n)))
            return [struct.unpack("<d", subscriber.recv(1000)[-8:])[0] for _ in range(count)]

        assert decimated(10) == [float(n) for n in range(9, 100, 10)]
        fifty = {"algorithm": "average", "factor": 50, "rate_hz": None}
        assert keeper.replace("test", spec | {"decimation": fifty}) == pid
        assert decimated(2) == [24.5, 74.5]
        with pytest.raises(RelayError, match="downsample needs a factor"):
            keeper.replace("test", spec | {"decimation": {"algorithm": "downsample"}})
        with pytest.raises(RelayError, match="no relay for channel 'other'"):
            keeper.replace("other", spec | {"decimation": {"enabled": False}})
        assert keeper.list()[0]["pid"] == pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: keeper.list()[0]["pid"] not in (None, pid))
        assert decimated(2) == [24.5, 74.5], "the successor has it too"
        pid = keeper.list()[0]["pid"]
        changed = spec | {"decimation": {"algorithm": "average", "factor": 100, "rate_hz": None}}
        assert keeper.replace("test", changed) == pid, "for no other difference a relay is replaced"
        assert decimated(1) == [49.5]
        pid = keeper.replace("test", changed | {"block_age_s": 0.5})
        os.kill(pid, signal.SIGKILL)
        at_once = {"algorithm": "average", "factor": 25, "rate_hz": None}
        assert keeper.replace("test", changed | {"block_age_s": 0.5, "decimation": at_once}) != pid
        assert decimated(4) == [12.0, 37.0, 62.0, 87.0], "what follows the dead one has it"


def test_a_relay_whose_disk_refuses_is_degraded_and_recovers(keeper, spec):
    pid = keeper.start(spec)
    with (
        subscribe(**spec["multicast"]["full_rate"]) as subscriber,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        sender.connect(("127.0.0.1", spec["port"]))

        def record(n):
            sender.send(numbered(n))
            assert subscriber.recv(1000), "the live stream goes on"

        record(0)
        wait_until(lambda: keeper.stats("test")["durable"] == 1)
        former = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        record(1)
        channel = wait_until(lambda: (c := keeper.list("test")[0])["state"] == "degraded" and c)
        assert channel["reason"] == "not archived: File too large"
        record(2)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, former)
        wait_until(lambda: keeper.list("test")[0]["state"] == "active")
    keeper.stop("test")
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == [0, 1, 2]


def test_a_relay_that_finds_no_folder_receives_and_waits_for_it(keeper, spec, tmp_path):
    first = keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["durable"] > 0)
    shutil.rmtree(tmp_path / "archive")
    (tmp_path / "archive").write_text("a file where a folder should be")
    second = keeper.replace("test")
    wait_until(lambda: keeper.list("test")[0]["state"] == "degraded")
    assert keeper.list("test")[0]["reason"] == "not archived: Not a directory"
    before = keeper.stats("test")
    wait_until(lambda: keeper.stats("test")["records"] > before["records"] + 500)
    assert keeper.stats("test")["archived"] == before["archived"]
    (tmp_path / "archive").unlink()
    sent = sender.finish()
    wait_until(
        lambda: keeper.list("test")[0]["state"] == "active" and keeper.stats("test")["records"] == sent
    )
    wait_until(
        lambda: (
            (s := keeper.stats("test"))["durable"] == s["archived"] == sent - sum(s["not_archived"].values())
        )
    )
    assert keeper.list("test")[0]["pid"] == second != first
    numbers = [r["n"] for r in read_records(tmp_path / "archive" / "test")]
    stats = keeper.stats("test")
    assert numbers == list(range(sent))[-len(numbers) :], "all that was not archived when the folder went"
    assert stats["archived"] + sum(stats["not_archived"].values()) == sent


def test_a_keeper_that_leaves_ends_alone(keeper, spec):
    relay = keeper.start(spec)
    former = keeper.ping()["pid"]
    keeper.leave()
    wait_until(lambda: not os.path.exists(f"/proc/{former}") or keeper.ping() is None)
    assert keeper.start_keeper() != former
    assert keeper.list()[0]["pid"] == relay
