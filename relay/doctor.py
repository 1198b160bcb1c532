"""`speeddata doctor`: whether this machine's receive buffers are large enough, and which rate loses nothing while a relay is replaced.

Packets wait in the socket from a relay's death until the next one receives. That loses none as long as
rate x kernel memory per packet x gap < buffer. The memory per packet is measured here, on the loopback interface.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import click

from speeddata.archive_commands import printing
from speeddata.errors import RelayError
from speeddata.relay.sockets import MEMINFO, SO_MEMINFO, open_input

__all__ = ["examine", "findings", "main"]

WANTED = 64 << 20  # bytes, the default of receive_buffer_bytes
GAP_S = 0.02  # from a relay's death until the next one receives
SIZES = (64, 200, 1400, 8000)  # bytes of a packet
PROBES = 16  # packets of each size
RMEM_ALLOC, RCVBUF = 0, 1  # places in SO_MEMINFO
RMEM_MAX = Path("/proc/sys/net/core/rmem_max")


def examine() -> dict[str, Any]:
    """Bytes of buffer wanted and granted, and for each packet size the kernel memory and the rate that loses nothing."""
    with open_input("127.0.0.1", 0, WANTED) as receiver:
        granted = _memory(receiver)[RCVBUF]
        packets = [_packet(receiver, size, granted) for size in SIZES]
    return {
        "receive_buffer": {"wanted": WANTED, "granted": granted // 2, "rmem_max": int(RMEM_MAX.read_text())},
        "gap_s": GAP_S,
        "packets": packets,
    }


def _memory(receiver: socket.socket) -> tuple[int, ...]:
    return MEMINFO.unpack(receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size))


def _packet(receiver: socket.socket, size: int, granted: int) -> dict[str, Any]:
    """What packets of a size take in the kernel. `granted` is as the kernel counts it: twice what was asked for."""
    before = _memory(receiver)[RMEM_ALLOC]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(PROBES):
            sender.sendto(bytes(size), receiver.getsockname())
    memory = (_memory(receiver)[RMEM_ALLOC] - before) // PROBES
    for _ in range(PROBES):
        receiver.recv(65536)
    return {"bytes": size, "kernel_bytes": memory, "rate": int(granted / (memory * GAP_S))}


def findings(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What should be mended, in words and by which commands; empty when all is well."""
    buffer = found["receive_buffer"]
    if buffer["granted"] >= buffer["wanted"]:
        return []
    setting = f"net.core.rmem_max={buffer['wanted']}"
    return [
        {
            "name": "receive_buffer",
            "text": f"receive buffer: {buffer['granted']} bytes of {buffer['wanted']} wanted,"
            f" net.core.rmem_max is {buffer['rmem_max']}",
            "mend": [
                {"words": "mend it with", "command": f"sudo sysctl -w {setting}"},
                {
                    "words": "and for good",
                    "command": f"echo {setting} | sudo tee /etc/sysctl.d/90-speeddata.conf",
                },
            ],
        }
    ]


def report(found: dict[str, Any]) -> str:
    """The findings for a reader."""
    lines = []
    for finding in findings(found):
        lines += [finding["text"], *(f"  {one['words']}: {one['command']}" for one in finding["mend"])]
    if not lines:
        lines.append("receive buffer: {granted} bytes of {wanted} wanted".format(**found["receive_buffer"]))
    lines.append(
        f"packets that the buffer holds while a relay is replaced ({found['gap_s'] * 1000:.0f} ms), as a rate:"
    )
    for packet in found["packets"]:
        lines.append(
            f"  {packet['bytes']:>5} B a packet, {packet['kernel_bytes']:>6} B in the kernel: {packet['rate']:>9,} packets/s"
        )
    return "\n".join(lines)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(as_json: bool) -> None:
    """Examine this machine; exit status 1 when something should be mended."""
    try:
        found = examine()
    except (OSError, RelayError) as error:
        print(f"speeddata: {error}", file=sys.stderr)
        sys.exit(1)
    with printing():
        print(json.dumps(found) if as_json else report(found))
    sys.exit(bool(findings(found)))


if __name__ == "__main__":
    main(prog_name="speeddata doctor")
