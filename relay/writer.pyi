from speeddata.relay.doorbell import Doorbell
from speeddata.relay.mapping import Mapping

class Writer:
    """Writes one channel's blocks into its folder; `run` is the body of a thread.

    `headers` holds, for each version of the schema by TimeUnit, what a segment begins with up to its sync marker.
    """

    def __init__(
        self,
        mapping: Mapping,
        folder: int,
        channel: str,
        headers: list[bytes],
        flush_s: float,
        rotate_s: int,
        rotate_bytes: int,
        bell: Doorbell,
    ) -> None: ...
    def resume(self) -> None:
        """Take over the segment that the mapping says is open."""

    def run(self) -> None:
        """Write until the doorbell says stop and the queue is empty; the last segment is sealed."""
