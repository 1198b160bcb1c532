"""Send this machine's own telemetry to the `host` channel: CPU by core, memory, load, disk, network, temperatures.

    python examples/host.py [--rate 20]

Needs psutil. The schema is made for this machine, and registered with the channel when it is not yet.
"""

import argparse
import contextlib
import itertools
import re
import socket
import sys
import time
from typing import Any

import psutil
import requests

from speeddata.credentials import headers
from speeddata.rows import encode_record
from speeddata.schema import Schema

NAME = "host"
PORT = 26002
MAX_CORES = 64


def temperatures() -> dict[str, float]:
    """Degrees Celsius by sensor; empty on machines that have none."""
    found = {}
    for chip, sensors in getattr(psutil, "sensors_temperatures", dict)().items():
        for number, sensor in enumerate(sensors):
            name = re.sub(r"\W+", "_", f"temperature_{chip}_{sensor.label or number}").strip("_").lower()
            found[name] = sensor.current
    return found


class Host:
    """Reads the machine; rates are those since the last reading."""

    def __init__(self) -> None:
        self.cores = min(psutil.cpu_count() or 1, MAX_CORES)
        self.sensors = sorted(temperatures())
        self.rates: dict[str, float] = {}
        self.before = self._totals()
        psutil.cpu_percent(percpu=True)
        self.cpu = [0.0] * self.cores

    def schema(self) -> dict[str, Any]:
        """The channel's schema, with a field for each core and sensor of this machine."""
        time_field = {"name": "time", "type": "long", "logicalType": "timestamp-nanos"}
        sequence = {"name": "sequence", "type": "long", "speeddata": {"role": "sequence"}}
        units = {f"cpu_{core}": "%" for core in range(self.cores)}
        units |= {"memory": "%", "memory_used": "B", "swap": "%"}
        units |= dict.fromkeys(("load_1", "load_5", "load_15"), "")
        units |= dict.fromkeys(("disk_read", "disk_write", "network_receive", "network_send"), "B/s")
        units |= dict.fromkeys(self.sensors, "°C")
        signals = [
            {"name": name, "type": "double"} | ({"speeddata": {"unit": unit}} if unit else {})
            for name, unit in units.items()
        ]
        return {
            "type": "record",
            "name": "telemetry",
            "namespace": "speeddata.host",
            "fields": [time_field, sequence, *signals],
        }

    def read(self, sequence: int) -> dict[str, Any]:
        """One record."""
        memory = psutil.virtual_memory()
        readings = temperatures()
        return {
            "time": time.time_ns(),
            "sequence": sequence,
            "memory": memory.percent,
            "memory_used": float(memory.total - memory.available),
            "swap": psutil.swap_memory().percent,
            **dict(zip(("load_1", "load_5", "load_15"), psutil.getloadavg(), strict=True)),
            **{f"cpu_{core}": share for core, share in enumerate(self._cpu())},
            **self._rates(),
            **{name: readings.get(name, float("nan")) for name in self.sensors},
        }

    def _cpu(self) -> list[float]:
        """Percent by core. The kernel counts in hundredths of a second: shorter spans than 0.2 s would only jump."""
        now = time.monotonic()
        if now - getattr(self, "cpu_read", 0.0) >= 0.2:
            self.cpu_read = now
            self.cpu = psutil.cpu_percent(percpu=True)[: self.cores]
        return self.cpu

    def _totals(self) -> dict[str, float]:
        disk, network = psutil.disk_io_counters(), psutil.net_io_counters()
        return {
            "at": time.monotonic(),
            "disk_read": disk.read_bytes if disk else 0,
            "disk_write": disk.write_bytes if disk else 0,
            "network_receive": network.bytes_recv,
            "network_send": network.bytes_sent,
        }

    def _rates(self) -> dict[str, float]:
        now = self._totals()
        span = now.pop("at") - self.before["at"]
        rates = {name: (total - self.before[name]) / span for name, total in now.items()}
        self.before = now | {"at": self.before["at"] + span}
        return rates


def input_port(api: str, schema: dict[str, Any]) -> int:
    """The port of the channel, which is registered first when nobody has done so; ends when it is another machine's."""
    channel = requests.get(f"{api}/channels/{NAME}", headers=headers(), timeout=10)
    if channel.status_code == 404:
        channel = requests.post(
            f"{api}/channels",
            json={"name": NAME, "port": PORT, "schema": schema},
            headers=headers(),
            timeout=10,
        )
    else:
        # Registered already: by an earlier run, or for a machine with other cores, sensors.
        same = requests.post(
            f"{api}/channels/{NAME}/validate-schema", json={"schema": schema}, headers=headers(), timeout=10
        )
        if same.status_code == 409:
            sys.exit(
                f"The channel {NAME!r} is registered with another schema than this machine's, which would be rejected. "
                f"De-register it (DELETE {api}/channels/{NAME}) and start this again."
            )
    if not channel.ok:
        sys.exit(f"The channel {NAME!r} cannot be had at {api}: {channel.text}")
    return int(channel.json()["port"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api", default="http://127.0.0.1:8080/api/v1", help="registration API")
    parser.add_argument("--host", default="127.0.0.1", help="where the relay listens")
    parser.add_argument("--rate", type=float, default=20, help="records a second")
    arguments = parser.parse_args()

    machine = Host()
    schema = machine.schema()
    compiled = Schema.parse(schema)
    relay = (arguments.host, input_port(arguments.api, schema))
    start = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for sequence in itertools.count():
            sender.sendto(encode_record(compiled, machine.read(sequence)), relay)
            time.sleep(max(0.0, start + (sequence + 1) / arguments.rate - time.monotonic()))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
