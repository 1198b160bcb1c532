"""The names of segments: `<channel>_<start>.avro`, the start being the UTC receive time of the first record."""

import re
import time

__all__ = ["is_index_name", "is_segment_name", "segment_name"]

START = r"\d{8}T\d{6}\.\d{6}Z"
SEGMENT = re.compile(rf"_{START}\.avro", re.ASCII)
INDEX = re.compile(rf"_{START}\.idx", re.ASCII)


def segment_name(channel: str, start_us: int) -> str:
    """The name of a segment that begins at a time in microseconds since 1970 UTC, as its relay gives it."""
    seconds, micros = divmod(start_us, 1_000_000)
    return f"{channel}_{time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds))}.{micros:06d}Z.avro"


def is_segment_name(channel: str, name: str) -> bool:
    """Whether this is a name that a channel's relay gives to segments."""
    return name.startswith(channel) and SEGMENT.fullmatch(name, len(channel)) is not None


def is_index_name(channel: str, name: str) -> bool:
    """Whether this is a name that a channel's relay gives to indexes."""
    return name.startswith(channel) and INDEX.fullmatch(name, len(channel)) is not None
