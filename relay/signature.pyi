from collections.abc import Collection

from speeddata.relay.mapping import Mapping

class Signatures:
    """The keys that a channel's packets may be signed by: id and secret of each."""

    def __init__(self, channel: str, secrets: dict[bytes, bytes]) -> None: ...
    def check(self, packet: bytes) -> str:
        """For tests and tools: why a packet is refused, empty where it is taken; numbers are noted here, in no mapping."""

def read_signers(mapping: Mapping) -> dict[bytes, int]:
    """The highest number that was taken of each key, by its id."""

def add_signers(mapping: Mapping, newest: dict[bytes, int], wanted: Collection[bytes]) -> None:
    """Put keys that the mapping lacks into it, with the highest number taken of each before: nothing up to it is taken again.

    For a relay that does not receive yet. Where there is no room, one gives way that is not `wanted`.
    """

def sha256(data: bytes, plain: bool = False) -> bytes:
    """For tests: the digest, by `plain` C or as this processor does it best."""
