"""Send what a weather sensor measures to the `temperature` channel, once a second.

    python examples/sender/temperature_sender.py [--device sensor-1]

The channel is registered when it is not yet.
"""

import argparse
import contextlib
import math
import random
import socket
import time
from importlib import resources
from pathlib import Path

from speeddata import SpeedDataClient
from speeddata.rows import encode_record
from speeddata.schema import Schema

NAME = "temperature"
PORT = 26001


def measure(device: str) -> dict[str, object]:
    """One record: a day's course of temperature, with noise."""
    day = 2 * math.pi * (time.time() % 86400) / 86400
    celsius = 15 - 8 * math.cos(day) + random.gauss(0, 0.1)
    return {
        "time": time.time_ns(),
        "device_id": device,
        "temperature_c": celsius,
        "temperature_f": celsius * 9 / 5 + 32,
        "pressure_pa": 101_325 + random.gauss(0, 20),
        "humidity_pct": 60 + 15 * math.cos(day) + random.gauss(0, 0.5),
        "status": "ok",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api", default="http://127.0.0.1:8080/api/v1", help="registration API")
    parser.add_argument("--host", default="127.0.0.1", help="where the relay listens")
    parser.add_argument("--device", default="sensor-1")
    parser.add_argument("--count", type=int, default=0, help="records in all (0: until stopped)")
    arguments = parser.parse_args()

    schema = Schema.parse(
        Path(str(resources.files("speeddata.config") / "agents/temperature.avsc")).read_text()
    )
    client = SpeedDataClient(arguments.api)
    channel = client.get_channel(NAME) or client.register_channel(NAME, PORT, "agents/temperature.avsc")
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not arguments.count or sent < arguments.count:
            sender.sendto(encode_record(schema, measure(arguments.device)), (arguments.host, channel["port"]))
            sent += 1
            time.sleep(1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
