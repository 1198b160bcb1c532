from speeddata.plan import Plan

class Bucket:
    """The bucket by itself, for tests and tools: `add` records, then take the `packets`."""

    def __init__(self, plan: Plan, capacity: int = 65536) -> None: ...
    def add(self, record: bytes) -> None: ...
    def packets(self) -> list[bytes]:
        """Minima, then maxima; a single record as it came. Empties the bucket."""
