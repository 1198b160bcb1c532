"""Print the decimated stream of a channel, a record a line.

    python examples/receiver/receiver.py [CHANNEL] [--count 10]

The registration API tells the schema and where the stream is sent.
"""

import argparse
import contextlib
import io
import json
import socket
from typing import Any

import fastavro
import requests

from speeddata import SpeedDataClient
from speeddata.credentials import headers

IP_MULTICAST_ALL = 49  # of Linux; Python's socket module has no name for it


def subscribe(address: str, port: int, interface: str) -> socket.socket:
    """A socket that hears one multicast group on one interface."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)  # not what others on this host have joined
    receiver.bind((address, port))  # to the group: other groups of this port stay out
    member = socket.inet_aton(address) + socket.inet_aton(interface)
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    return receiver


def read_schemas(api: str, channel: dict[str, Any]) -> dict[bytes, Any]:
    """The versions of a channel's schema by what stands before their records: nothing where packets are plain."""
    answer = requests.get(f"{api}/channels/{channel['name']}/schemas", headers=headers(), timeout=10)
    answer.raise_for_status()
    schemas = answer.json()["schemas"]
    if channel["framing"] == "plain":
        return {b"": fastavro.parse_schema(schemas[-1]["schema"])}
    return {
        b"\xc3\x01" + bytes.fromhex(one["fingerprint"]): fastavro.parse_schema(one["schema"])
        for one in schemas
    }


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
    schemas = read_schemas(arguments.api, channel)
    head = len(next(iter(schemas)))
    printed = 0
    with subscribe(**channel["multicast"]["decimated"], interface=arguments.interface) as receiver:
        while not arguments.count or printed < arguments.count:
            packet = receiver.recv(65536)
            if packet[:head] not in schemas:  # a version that was registered meanwhile
                schemas = read_schemas(arguments.api, channel)
            schema = schemas[packet[:head]]
            record = fastavro.schemaless_reader(io.BytesIO(packet[head:]), schema, None)
            print(json.dumps(record, default=str), flush=True)
            printed += 1


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
