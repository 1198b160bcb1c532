from speeddata.plan import Plan
from speeddata.relay.ingest_records import Records

class LiveCopy:
    """Sends one channel's records to its live streams; nothing waits, what cannot go at once is counted and gone.

    `full_rate` (-1: none) and `decimated` are sockets connected to the groups. `plans` are the versions of the schema; `framed`:
    packets say which they are of. `algorithm`, `every` and `width_ns` as `Decimation.resolved` gives them.
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
    ) -> None: ...
    def send(self, records: Records) -> None:
        """Send records, in packets of whole ones up to 1400 bytes, and decimated."""

    def tick(self) -> float | None:
        """Send the bucket if it is due; the seconds until it is, None when there is none."""

    def flush(self) -> None:
        """Send the bucket though it is not full."""

    def take_counts(self) -> tuple[int, int]:
        """Packets sent, packets or records that could not be, since this was asked last."""
