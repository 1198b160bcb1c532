from typing import Any

from speeddata.plan import Plan
from speeddata.relay.ingest_records import Records

class LiveCopy:
    """Sends one channel's records to its live streams; nothing waits, what cannot go at once is counted and gone.

    `full_rate` (-1: none) and `decimated` are sockets connected to the groups. `plans` are the versions of the schema; `framed`:
    packets say which they are of. `algorithm`, `every` and `width_ns` as `Decimation.resolved` gives them. `standings` is how signals
    stood to their limits when the channel was sent live last.
    """

    def __init__(
        self,
        plans: list[Plan],
        framed: bool,
        full_rate: int,
        decimated: int,
        algorithm: str,
        every: int,
        width_ns: int,
        standings: list[dict[str, Any]] | None = None,
    ) -> None: ...
    def send(self, records: Records) -> None:
        """Send records, in packets of whole ones up to 1400 bytes, and decimated."""

    def tick(self) -> float | None:
        """Send the bucket if it is due; the seconds until it is, None when there is none."""

    def flush(self) -> None:
        """Send the bucket though it is not full."""

    def take_counts(self) -> tuple[int, int]:
        """Packets sent, packets or records that could not be, since this was asked last."""

    @property
    def errors(self) -> tuple[int, int]:
        """Of the full-rate and the decimated stream the errno of the last packet that could not go; 0: the last one went."""

    @property
    def turns(self) -> int:
        """How often a signal went beyond its limits, or came back."""

    @property
    def signals(self) -> dict[int, str]:
        """Names of the signals that have limits, by their keys."""

    def standings(self) -> list[dict[str, Any]]:
        """How the signals stand that were ever beyond their limits, each side by itself, under their keys."""

    def acknowledge(self, signal: str, side: str, epoch: int, rises: int) -> bool:
        """Note that so many rises are acknowledged; False where the signal is not there, or of another life."""
