"""Send the test signals of the `example` channel: a sine, a ramp, a square wave, noise, and a word.

    python examples/sender/sender.py [--rate 20] [--count 1000] [--batch 1]

A packet is one record in Avro binary, or several back to back (--batch). The channel is registered when it is not yet.
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

NAME = "example"
PORT = 26000
WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett")


def sample(counter: int, time_ns: int, seconds: float) -> dict[str, object]:
    """One record: periods of 10 s, of 20 s for the ramp."""
    return {
        "time": time_ns,
        "message": random.choice(WORDS),
        "counter": counter,
        "sine_wave": math.sin(2 * math.pi * seconds / 10),
        "ramp": seconds % 20 / 10 - 1,
        "square_wave": 1.0 if seconds % 10 < 5 else -1.0,
        "noise": random.uniform(-0.5, 0.5),
    }


def input_port(api: str) -> int:
    """The port of the channel, which is registered first when nobody has done so."""
    client = SpeedDataClient(api)
    channel = client.get_channel(NAME) or client.register_channel(NAME, PORT, "agents/example.avsc")
    return int(channel["port"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api", default="http://127.0.0.1:8080/api/v1", help="registration API")
    parser.add_argument("--host", default="127.0.0.1", help="where the relay listens")
    parser.add_argument("--rate", type=float, default=20, help="records a second")
    parser.add_argument("--count", type=int, default=0, help="records in all (0: until stopped)")
    parser.add_argument("--batch", type=int, default=1, help="records in a packet")
    arguments = parser.parse_args()
    if arguments.batch < 1:
        parser.error(f"--batch is {arguments.batch}, wanted at least 1")

    schema = Schema.parse(Path(str(resources.files("speeddata.config") / "agents/example.avsc")).read_text())
    relay = (arguments.host, input_port(arguments.api))
    start = time.monotonic()
    counter = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not arguments.count or counter < arguments.count:
            # A packet goes when the time of its last record has come.
            last = counter + arguments.batch - 1
            time.sleep(max(0.0, start + last / arguments.rate - time.monotonic()))
            now = time.time_ns()
            packet = b""
            for number in range(counter, last + 1):
                before_ns = round((last - number) / arguments.rate * 1e9)
                packet += encode_record(schema, sample(number, now - before_ns, number / arguments.rate))
            counter = last + 1
            sender.sendto(packet, relay)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
