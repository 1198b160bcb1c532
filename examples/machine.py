"""Send what a machine on a test stand could send: vibration 1,000 times a second, and its spectrum ten times a second.

    python examples/machine.py [--rate 1000]

The machine is made up: it runs up and down once a minute, a bearing sings at 5.2 times the speed, and now and then a single
sample is far beyond the limit, as from a loose stone. The channels `machine` and `machine_spectrum` are registered when they are not yet.
"""

import argparse
import contextlib
import math
import random
import socket
import time
from collections import deque
from typing import Any

import numpy as np

from speeddata import SpeedDataClient
from speeddata.rows import encode_record
from speeddata.schema import Schema

CHANNELS = {"machine": 26003, "machine_spectrum": 26004}
BATCH = 20  # records in a packet
SPECTRUM_HZ = 10
SPECTRUM_OF = 512  # samples
TOP_RPM = 3000
CYCLE_S = 60
STONE_S = 20  # between two stones, about
STATES = ["idle", "running", "braking"]


def time_field() -> dict[str, Any]:
    return {"name": "time", "type": "long", "logicalType": "timestamp-nanos"}


def signal(name: str, unit: str, limits: dict[str, list[float | None]] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "type": "double",
        "speeddata": {"unit": unit} | ({"limits": limits} if limits else {}),
    }


MACHINE: dict[str, Any] = {
    "type": "record",
    "name": "machine",
    "namespace": "speeddata.example",
    "fields": [
        time_field(),
        {"name": "sequence", "type": "long", "speeddata": {"role": "sequence"}},
        signal("vibration", "m/s²", {"warn": [-9.0, 9.0], "alarm": [-15.0, 15.0]}),
        signal("speed", "rpm", {"warn": [None, 2900.0]}),
        signal("temperature", "°C", {"warn": [None, 70.0], "alarm": [None, 85.0]}),
        {"name": "state", "type": {"type": "enum", "name": "state", "symbols": STATES}},
    ],
}
SPECTRUM: dict[str, Any] = {
    "type": "record",
    "name": "machine_spectrum",
    "namespace": "speeddata.example",
    "fields": [
        time_field(),
        {"name": "amplitude", "type": {"type": "array", "items": "float"}, "speeddata": {"unit": "m/s²"}},
    ],
}


class Machine:
    """The machine, sample by sample."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.counter = 0
        self.turned = 0.0  # revolutions
        self.temperature = 40.0
        self.recent: deque[float] = deque(maxlen=SPECTRUM_OF)

    def step(self, time_ns: int) -> dict[str, Any]:
        """The next record."""
        phase = self.counter / self.rate % CYCLE_S / CYCLE_S
        speed = TOP_RPM * (0.5 - 0.5 * math.cos(2 * math.pi * phase))
        self.turned += speed / 60 / self.rate
        load = speed / TOP_RPM
        self.temperature += (40 + 35 * load - self.temperature) / (20 * self.rate)
        vibration = 3 * load**2 * math.sin(2 * math.pi * self.turned) + load * math.sin(
            2 * math.pi * 5.2 * self.turned
        )
        vibration += random.gauss(0, 0.15 + 0.3 * load)
        if random.random() < 1 / (STONE_S * self.rate):
            vibration += random.choice((-20.0, 20.0))
        self.recent.append(vibration)
        state = STATES[0] if load < 0.05 else STATES[1] if phase < 0.5 else STATES[2]
        self.counter += 1
        return {
            "time": time_ns,
            "sequence": self.counter,
            "vibration": vibration,
            "speed": speed,
            "temperature": self.temperature,
            "state": state,
        }

    def spectrum(self, time_ns: int) -> dict[str, Any]:
        """Amplitudes of the newest samples by frequency, from 0 to half the rate."""
        samples = np.array(self.recent)
        window = np.hanning(len(samples))
        amplitude = 2 * np.abs(np.fft.rfft(samples * window)) / window.sum()
        return {"time": time_ns, "amplitude": amplitude[: SPECTRUM_OF // 2].tolist()}


def input_port(client: SpeedDataClient, name: str, schema: dict[str, Any]) -> int:
    """The port of a channel, which is registered first when nobody has done so."""
    channel = client.get_channel(name) or client.register_channel(name, CHANNELS[name], schema)
    return int(channel["port"])


def run(api: str, host: str, rate: float) -> None:
    """Send until stopped."""
    client = SpeedDataClient(api)
    schemas = {"machine": MACHINE, "machine_spectrum": SPECTRUM}
    parsed = {name: Schema.parse(schema) for name, schema in schemas.items()}
    relays = {name: (host, input_port(client, name, schema)) for name, schema in schemas.items()}
    machine = Machine(rate)
    start_ns, every = time.time_ns(), max(1, round(rate / SPECTRUM_HZ))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            last_ns = start_ns + round((machine.counter + BATCH) / rate * 1e9)
            time.sleep(max(0.0, (last_ns - time.time_ns()) / 1e9))
            packet = b""
            for _ in range(BATCH):
                time_ns = start_ns + round((machine.counter + 1) / rate * 1e9)
                packet += encode_record(parsed["machine"], machine.step(time_ns))
                if machine.counter % every == 0 and len(machine.recent) == SPECTRUM_OF:
                    spectrum = encode_record(parsed["machine_spectrum"], machine.spectrum(time_ns))
                    sender.sendto(spectrum, relays["machine_spectrum"])
            sender.sendto(packet, relays["machine"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api", default="http://127.0.0.1:8080/api/v1", help="registration API")
    parser.add_argument("--host", default="127.0.0.1", help="where the relay listens")
    parser.add_argument("--rate", type=float, default=1000, help="records of vibration a second")
    arguments = parser.parse_args()
    if not arguments.rate >= 10:
        parser.error(f"--rate is {arguments.rate}, wanted at least 10")
    run(arguments.api, arguments.host, arguments.rate)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
