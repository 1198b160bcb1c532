"""Print the decimated stream of a channel, a record a line.

    python examples/receiver/receiver.py [CHANNEL] [--count 10]

The registration API tells the schema and where the stream is sent.
"""

import argparse
import contextlib
import io
import json
import socket

import fastavro
import requests

from speeddata import SpeedDataClient


def subscribe(address: str, port: int, interface: str) -> socket.socket:
    """A socket that hears one multicast group on one interface."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.bind((address, port))
    member = socket.inet_aton(address) + socket.inet_aton(interface)
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return receiver


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("channel", nargs="?", default="example")
    parser.add_argument("--api", default="http://127.0.0.1:8080/api/v1", help="registration API")
    parser.add_argument("--interface", default="127.0.0.1", help="address of the interface to listen on")
    parser.add_argument("--count", type=int, default=0, help="records in all (0: until stopped)")
    arguments = parser.parse_args()

    channel = SpeedDataClient(arguments.api).get_channel(arguments.channel)
    if channel is None:
        raise SystemExit(f"no channel {arguments.channel!r} is registered at {arguments.api}")
    answer = requests.get(f"{arguments.api}/channels/{arguments.channel}/schema", timeout=10)
    schema = fastavro.parse_schema(answer.json())
    printed = 0
    with subscribe(**channel["multicast"]["decimated"], interface=arguments.interface) as receiver:
        while not arguments.count or printed < arguments.count:
            record = fastavro.schemaless_reader(io.BytesIO(receiver.recv(65536)), schema, None)
            print(json.dumps(record, default=str), flush=True)
            printed += 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
