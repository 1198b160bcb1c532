from speeddata.plan import Plan

AGGREGATES: dict[str, int]
"""The algorithms that need a bucket, by the name that settings use."""

class Bucket:
    """The bucket by itself, for tests and tools: `add` records, then take the `packets`."""

    def __init__(self, plan: Plan, algorithm: str = "minmax", capacity: int = 65536) -> None: ...
    def add(self, record: bytes) -> None: ...
    def packets(self) -> list[bytes]:
        """Minima, then maxima, or the one aggregate; a single record as it came. Empties the bucket."""
