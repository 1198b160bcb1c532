"""The commands that ask a running system, on one that wants a token: status, channels, register, tail, send, replay, tag ..."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import fastavro
import pytest
import segments
import system
from command import command
from line import encode, wait_until
from ports import free_port

from speeddata.plan import Plan
from speeddata.register_command import body_of
from speeddata.schema import Schema
from speeddata.unpack import Records

SCHEMA = {
    "type": "record",
    "name": "engine",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "speed", "type": "double", "speeddata": {"unit": "rpm"}},
    ],
}
START = 1_700_000_000_000_000_000
STEP = 10_000_000  # between records, ns


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    (folder / "engine.avsc").write_text(json.dumps(SCHEMA))
    with system.run(folder / "data", "--set", "global.access.required=true") as started:
        started.processes()
        history = ("127.0.0.1", started.pivot_port)
        wait_until(lambda: answers(history), "history")
        yield started


def answers(address):
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


@pytest.fixture
def ask(running):
    """Run a command that asks the system, with its own token."""
    environment = {
        "SPEEDDATA_URL": f"http://127.0.0.1:{running.api_port}",
        "SPEEDDATA_TOKEN_FILE": str(running.data / "run" / "token"),
    }

    def run(*arguments, **options):
        return command(*arguments, env={**environment, **options.pop("env", {})}, **options)

    return run


@pytest.fixture(scope="module")
def engine(running):
    return registered(running, "engine")


def registered(running, name, **config):
    port = free_port()
    running.register(name, port, SCHEMA, block_age_s=0.05, flush_interval_s=0.05, **config)
    return port


def archived(running, name):
    stats = running.get(f"/channels/{name}")["stats"]
    return stats["durable"] if stats else 0


def lines(*rows):
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def fill(ask, running, name, count):
    """Send records whose times are known, and wait until they are in the archive."""
    before = archived(running, name)
    rows = [{"time": START + n * STEP, "n": n, "speed": float(n)} for n in range(count)]
    done = ask("send", name, input=lines(*rows), env={})
    assert done.returncode == 0, done.stderr
    wait_until(lambda: archived(running, name) == before + count, f"{name} archived")


def test_a_channel_is_registered_listed_shown_restarted_and_deregistered(running, ask):
    port, schema = free_port(), running.data.parent / "engine.avsc"
    made = ask(
        "register", "a.b", "--schema", schema, "--port", port, "--set", "decimation.factor=3", "--json"
    )
    assert (made.returncode, json.loads(made.stdout)["port"]) == (0, port), made.stderr
    again = ask("register", "a.b", "--schema", schema, "--port", port)
    assert again.returncode == 1
    assert again.stderr == f"speeddata: Port already in use: {port} belongs to a.b, wanted one that is free\n"
    listed = json.loads(ask("channels", "--status", "active", "--json").stdout)["channels"]
    assert "a.b" in [one["name"] for one in listed]
    assert json.loads(ask("channels", "--status", "ingest", "--json").stdout)["channels"] == []
    shown = json.loads(ask("channels", "a.b", "--json").stdout)
    assert shown["decimation"]["factor"] == 3
    assert [(one["name"], one["unit"], one["role"]) for one in shown["signals"]] == [
        ("time", None, "time"), ("n", None, "sequence"), ("speed", "rpm", None)]  # fmt: skip
    assert "rpm" in ask("channels", "a.b").stdout
    assert "a.b" in ask("channels").stdout
    before = shown["pid"]
    assert "replaced" in ask("restart", "a.b").stdout
    assert running.get("/channels/a.b")["pid"] != before
    assert ask("deregister", "a.b").returncode == 2, "nobody can be asked"
    ended = ask("deregister", "a.b", "nosuch", "--yes", "--json")
    assert ended.returncode == 1
    assert [one["status"] for one in json.loads(ended.stdout)["channels"]] == ["success", "error"]
    assert ask("channels", "a.b").returncode == 1


def test_a_channel_registered_without_a_port_gets_one_and_the_same_again(running, ask):
    words = ("register", "portless", "--schema", running.data.parent / "engine.avsc")
    made = ask(*words, "--json")
    port = json.loads(made.stdout)["port"]
    assert (made.returncode, running.get("/channels/portless")["port"]) == (0, port), made.stderr
    said = f"Channel 'portless' is registered already at UDP port {port}\n"
    assert ask(*words).stdout == said
    assert ask("send", "portless", "--test", "--count", 1).returncode == 0
    wait_until(lambda: running.get("/channels/portless")["stats"]["records"] == 1, "a record")
    assert ask(*words, "--port", 1, "--no-port").returncode == 2


def test_a_registration_with_a_ttl_runs_out(running, ask):
    words = ("register", "leased", "--schema", running.data.parent / "engine.avsc", "--ttl")
    made = ask(*words, 1, "--json")
    assert (made.returncode, json.loads(made.stdout)["ttl"]) == (0, 1), made.stderr
    wait_until(lambda: running.get("/channels/leased")["pid"] is None, "its end")
    shown = json.loads(ask("channels", "leased", "--json").stdout)
    assert (shown["state"], shown["expires_in_s"]) == ("stopped", 0)
    assert ask(*words, 0).returncode == 2
    assert "stopped" in ask("status").stdout
    assert ask("deregister", "leased", "--yes").returncode == 0


@pytest.mark.usefixtures("engine")
def test_status_tells_all(running, ask):
    done = ask("status", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["trouble"], told["data"]) == (0, [], str(running.data))
    assert "engine" in [one["name"] for one in told["channels"]["list"]]
    shown = ask("status").stdout
    assert "all is well" in shown
    assert "keeper active" in shown


def test_who_does_not_answer_and_what_token_is_wanted_is_said(running, ask, tmp_path):
    for words in (["status"], ["channels"], ["tail", "x"], ["tag", "list"]):
        done = ask(*words, "--url", "127.0.0.1:9")
        assert done.returncode == 1
        assert "http://127.0.0.1:9 does not answer; `speeddata run` starts a system, --url" in done.stderr
    refused = ask("status", env={"SPEEDDATA_TOKEN_FILE": None})
    assert refused.returncode == 1
    assert "Token required" in refused.stderr
    assert "--token-file FILE" in refused.stderr
    assert "DATA/run/token" in refused.stderr
    own = running.data / "run" / "token"
    assert ask("status", "--json", "--token-file", own, env={"SPEEDDATA_TOKEN_FILE": None}).returncode == 0
    assert ask("status", "--token-file", tmp_path / "nosuch").returncode == 1
    token = system.speeddata("token", "create", "looker", "--role", "read", f"--data={running.data}").stdout
    weak = tmp_path / "weak"
    weak.touch(mode=0o600)
    weak.write_text(token)
    done = ask("deregister", "x", "--yes", "--token-file", weak)
    assert done.returncode == 1
    assert "wanted a token of role admin" in done.stderr
    assert "--token-file FILE" in done.stderr
    history = f"http://127.0.0.1:{running.pivot_port}"
    for words in (["sql", "SELECT 1"], ["export", "--channels", "x", "--duration", "PT1S", "-o", "-"]):
        done = ask(*words, "--url", history, env={"SPEEDDATA_TOKEN_FILE": None})
        assert (done.returncode, "--token-file FILE" in done.stderr) == (1, True), done.stderr


@pytest.mark.usefixtures("engine")
def test_tags(ask):
    made = ask("tag", "add", "run 7", "--last", "PT1M", "--channels", "engine", "--note", "hot", "--json")
    id = json.loads(made.stdout)["id"]
    assert "run 7" in ask("tag", "list", "--channel", "engine").stdout
    assert json.loads(ask("tag", "show", "run 7", "--json").stdout)["note"] == "hot"
    assert "hot" in ask("tag", "show", id).stdout
    assert ask("tag", "add", "x", "--start", "2026-01-01").returncode == 2
    bad = ask("tag", "add", "x", "--start", "yesterday", "--end", "2026-01-01")
    assert (bad.returncode, "start is 'yesterday', wanted an ISO 8601 time" in bad.stderr) == (1, True)
    done = ask("tag", "delete", id, id, "--json")
    assert (done.returncode, len(json.loads(done.stdout)["tags"])) == (1, 2)
    assert ask("tag", "show", "run 7").returncode == 1


def test_send_stops_at_the_first_line_that_is_wrong(running, ask):
    port = registered(running, "sent")
    text = lines({"n": 1, "speed": 1.5}, {"n": 2, "speed": "fast"}, {"n": 3, "speed": 3})
    done = ask("send", "sent", "--json", input=text)
    told = json.loads(done.stdout)
    assert (done.returncode, told["sent"], told["to"]) == (1, 1, f"127.0.0.1:{port}")
    assert "line 2: field 'speed': 'fast', wanted a number" in done.stderr
    done = ask("send", "sent", "--skip-bad", input=text + "nonsense\n[1]\n")
    assert (done.returncode, done.stdout) == (0, f"sent 2 records to 127.0.0.1:{port}, 3 lines left out\n")
    assert "line 4 is left out: not JSON" in done.stderr
    assert "line 5 is left out: [1], wanted an object" in done.stderr
    wait_until(lambda: archived(running, "sent") == 3, "three archived")
    newest = running.get("/channels/sent")["stats"]
    assert (newest["bad_time"], sum(newest["rejected"].values())) == (0, 0)


def test_send_frames_made_up_values_as_the_channel_wants_them(running, ask):
    registered(running, "framed", framing="single_object")
    done = ask("send", "framed", "--test", "--count", 5, "--rate", 1000)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: archived(running, "framed") == 5, "five archived")
    lost = ask("send", "framed", "--test", "--count", 3, "--to", f"127.0.0.1:{free_port()}")
    assert (lost.returncode, "nobody receives at" in lost.stderr) == (1, True)


def test_tail_gives_each_record_as_it_comes(ask, engine):
    ended = threading.Event()

    def go_on():
        with socket.socket(type=socket.SOCK_DGRAM) as source:
            while not ended.wait(0.02):
                packet = encode(SCHEMA, time=time.time_ns(), n=1, speed=2.5)
                source.sendto(packet, ("127.0.0.1", engine))

    source = threading.Thread(target=go_on)
    source.start()
    try:
        told = ask("tail", "engine.speed", "--json", "--records", 3)
        table = ask("tail", "engine", "--records", 3)
    finally:
        ended.set()
        source.join()
    assert told.returncode == 0, told.stderr
    records = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(set(one), one["speed"]) for one in records] == [({"channel", "time", "speed"}, 2.5)] * 3
    assert (table.returncode, "engine.speed" in table.stdout, "rpm" in table.stdout) == (0, True, True)
    wrong = ask("tail", "engine.sped")
    assert (wrong.returncode, "did you mean 'speed'?" in wrong.stderr) == (1, True)


def test_a_replay_is_what_was_archived_with_its_timing(running, ask):
    count, speed = 60, 2.0
    registered(running, "first")
    port = registered(running, "second")
    fill(ask, running, "first", count)
    began = time.monotonic()
    done = ask("replay", "--channel", "first", "--data", running.data, "--to", f"first=127.0.0.1:{port}",
               "--speed", speed, "--json")  # fmt: skip
    spent = time.monotonic() - began
    told = json.loads(done.stdout)
    assert (done.returncode, told["records"], told["damages"]) == (0, count, []), done.stderr
    assert spent >= told["seconds"] >= (count - 1) * STEP / 1e9 / speed * 0.9
    wait_until(lambda: archived(running, "second") == count, "replayed")
    folders = [running.data / "archive" / name for name in ("first", "second")]
    said = [command("cat", *sorted(folder.glob("*.avro"))).stdout for folder in folders]
    assert said[0] == said[1]
    assert running.get("/channels/second")["stats"]["packets"] == count
    part = ask("replay", folders[0], "--speed", "max", "--to", f"127.0.0.1:{port}", "--shift-time", "now",
               "--start", "2023-11-14T22:13:20.100Z", "--json")  # fmt: skip
    assert json.loads(part.stdout)["records"] == count - 10
    wait_until(lambda: archived(running, "second") == 2 * count - 10, "replayed again")
    newest = command("cat", *sorted(folders[1].glob("*.avro"))).stdout.splitlines()[count:]
    times = [json.loads(line)["time"] for line in newest]
    assert abs(times[0] - time.time_ns()) < 60e9
    assert {later - one for one, later in zip(times, times[1:], strict=False)} == {STEP}


@pytest.fixture
def receiver():
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(30)
        yield sock


def to(receiver):
    return f"127.0.0.1:{receiver.getsockname()[1]}"


@pytest.mark.parametrize("framing", ["plain", "single_object"])
def test_a_replay_frames_records_as_asked(tmp_path, receiver, framing):
    rows = segments.records(5)
    segments.write_segment(tmp_path / "a", [rows])
    done = command("replay", tmp_path / "a", "--to", to(receiver), "--framing", framing, "--quiet")
    assert done.returncode == 0, done.stderr
    canonical = fastavro.schema.to_parsing_canonical_form(segments.SCHEMA)
    head = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    frame = head if framing == "single_object" else b""
    expected = [frame + one for one in segments.encode_each(segments.SCHEMA, rows)]
    assert [receiver.recv(9999) for _ in rows] == expected


def test_a_replay_in_a_loop_begins_anew_until_ctrl_c(tmp_path, receiver):
    rows = segments.records(3)
    segments.write_segment(tmp_path / "a", [rows])
    words = ("replay", str(tmp_path / "a"), "--to", to(receiver), "--loop", "--shift-time", "now", "--json")
    begun = subprocess.Popen([*system.SPEEDDATA, *words], stdout=subprocess.PIPE, text=True)
    packets = [receiver.recv(9999) for _ in range(10)]
    begun.send_signal(signal.SIGINT)
    said, _ = begun.communicate(timeout=30)
    plan = Plan(Schema.parse(segments.SCHEMA))
    found = [next(Records(plan, packet, "ns")) for packet in packets]
    assert [record["counter"] for _, record in found] == [0, 1, 2] * 3 + [0]
    times = [time_ns for time_ns, _ in found]
    assert times == sorted(times), "each round has the time of its own"
    assert {times[n + 1] - times[n] for n in range(9) if n % 3 != 2} == {1_000_000}
    # Ctrl-C may come before the packet that is just sent is counted.
    assert (begun.returncode, json.loads(said)["records"] >= len(packets) - 1) == (0, True)


def test_a_replay_asks_where_to_and_keeps_the_order_of_channels(running, ask):
    registered(running, "p")
    registered(running, "q")
    for name in ("p", "q"):
        fill(ask, running, name, 10)
    done = ask("replay", "--channel", "p", "--channel", "q", "--data", running.data, "--speed", "max")
    assert (done.returncode, done.stdout.partition(" in ")[0]) == (0, "sent 20 records"), done.stderr
    wait_until(lambda: archived(running, "q") == archived(running, "p") == 20, "replayed")
    assert ask("replay", "--channel", "nosuch", "--data", running.data).returncode == 1
    assert ask("replay").returncode == 2


@pytest.mark.usefixtures("engine")
def test_the_shell_completes_names_of_channels(ask):
    asked = {"COMP_WORDS": "speeddata tail eng", "COMP_CWORD": "2", "_SPEEDDATA_COMPLETE": "bash_complete"}
    assert ask(env=asked).stdout == "plain,engine\n"
    away = {**asked, "SPEEDDATA_URL": "http://127.0.0.1:9"}
    assert (ask(env=away).stdout.strip(), ask(env=away).stderr) == ("", "")


def test_what_was_not_given_is_not_sent():
    assert body_of("a", {}, None, False, {}, None) == {"name": "a", "schema": {}}
    assert body_of("a", {}, None, True, {"x": 1}, 30.0) == {
        "name": "a", "schema": {}, "port": None, "config": {"x": 1}, "ttl": 30}  # fmt: skip


@pytest.mark.usefixtures("engine")
def test_ctrl_c_ends_what_goes_on_as_asked(running):
    environment = {**os.environ, "SPEEDDATA_URL": f"http://127.0.0.1:{running.api_port}"}
    token = f"--token-file={running.data}/run/token"
    begun = [
        subprocess.Popen(
            [*system.SPEEDDATA, *words, token], env=environment, stdout=subprocess.PIPE, text=True
        )
        for words in (
            ("status", "--watch", "--json"),
            ("tail", "engine", "--json"),
            ("send", "engine", "--test", "--rate=100", "--json"),
        )
    ]
    for process in begun[:2]:  # each has said something, the first of it of what the third sends
        assert json.loads(process.stdout.readline())
    for process in begun:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0
    assert json.loads(said)["sent"] > 0


def test_what_is_in_trouble_has_a_status_of_its_own(running, ask):
    history = next(one for one in running.processes()["services"] if one["name"] == "pivot")
    os.kill(history["pid"], signal.SIGKILL)
    troubled = wait_until(lambda: (done := ask("status", "--json")).returncode == 4 and done, "trouble")
    assert json.loads(troubled.stdout)["trouble"][0].startswith("pivot backoff")
    wait_until(lambda: ask("status", "--json").returncode == 0, "its end")


def test_settings_are_read_again(ask):
    assert ask("reload").stdout == "settings: nothing has changed\n"
    assert json.loads(ask("reload", "--json").stdout)["changes"] == []
    refused = ask("reload", env={"SPEEDDATA_TOKEN_FILE": ""})
    assert refused.returncode == 1
    assert "--token-file" in refused.stderr
