from speeddata.plan import Plan
from speeddata.relay.doorbell import Doorbell
from speeddata.relay.mapping import Mapping

class Decimator:
    """Sends one channel's decimated stream; `run` is the body of a thread.

    `every`: records a packet (downsample) or bucket (minmax). `width_ns`: width of a bucket by record time; 0 = by count.
    `plans` are the versions of the schema; `framed`: packets say which they are of. `socket` is connected to the decimated group.
    `clerk` is woken when a signal goes beyond its limits, or comes back.
    """

    def __init__(
        self,
        mapping: Mapping,
        plans: list[Plan],
        framed: bool,
        socket: int,
        algorithm: str,
        every: int,
        width_ns: int,
        bell: Doorbell,
        clerk: Doorbell,
    ) -> None: ...
    def run(self) -> None:
        """Decimate until the doorbell says stop and all blocks are read."""

    def change(self, algorithm: str, every: int, width_ns: int) -> bool:
        """Decimate in another way from now on; False while an earlier change is still to be made."""
