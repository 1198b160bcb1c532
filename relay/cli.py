"""`python -m speeddata.relay`: one relay alone in the foreground, or the keeper of a data folder."""

import argparse
import json
import os
import sys
from pathlib import Path

from speeddata import logs
from speeddata.errors import ConfigError, RelayError, SchemaError
from speeddata.exit_codes import CANNOT_START
from speeddata.relay.channel import ChannelRelay
from speeddata.relay.keeper import Keeper
from speeddata.relay.mapping import Mapping
from speeddata.relay.sockets import ChannelSockets, kernel_drops
from speeddata.relay.spec import ChannelSpec

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Parse the arguments and run; the exit status: 0 done, 1 a thread failed, 2 usage, 3 cannot start."""
    parser = argparse.ArgumentParser(prog="python -m speeddata.relay", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--spec", type=Path, metavar="FILE", help="relay the channel of this JSON file")
    what.add_argument("--keeper", type=Path, metavar="DATA", help="keep the relays of this data folder")
    arguments = parser.parse_args(argv)
    logs.set_up("keeper" if arguments.keeper else "relay")
    try:
        if arguments.keeper:
            return keep(arguments.keeper)
        return run_alone(ChannelSpec.from_json(json.loads(arguments.spec.read_text())))
    except (ConfigError, RelayError, SchemaError, OSError, json.JSONDecodeError) as error:
        print(f"speeddata.relay: {error}", file=sys.stderr)
        return CANNOT_START


def keep(data: Path) -> int:
    """Become the keeper, as nobody's child: whoever asked for it sees a process that ends when the keeper is ready."""
    keeper = Keeper(data)
    if os.fork():
        os._exit(0)
    return keeper.run()


def run_alone(spec: ChannelSpec) -> int:
    """One relay without a keeper: what its process takes with it when it is killed is lost."""
    sockets = ChannelSockets.open(spec)
    mapping = Mapping.create(spec.name, spec.block_bytes, spec.ring_bytes)

    def report() -> None:
        stats = mapping.stats() | {"kernel_drops": kernel_drops(sockets.input)}
        os.write(1, json.dumps(stats).encode() + b"\n")

    status = ChannelRelay(spec, mapping, sockets).run(report)
    report()
    return status
