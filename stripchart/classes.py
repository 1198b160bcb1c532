"""Resolution classes: how wide the columns are that a client is served, so that many clients share the same few.

Widths are doubled from one to the next and columns begin at whole multiples of them since 1970, so that all clients and all
restarts agree. A stream of minima and maxima has no column narrower than one of its buckets: a column is made of whole
buckets, and so its minimum and maximum are those of the records of its span.
"""

BASE_NS = 20_000_000  # of streams without buckets: doubled, and halved down to 78,125 ns
COLUMNS_PER_S_MAX = 1e6
_ROOM = 2  # samples whose time and value take less room than a column with its five numbers


def width_ns(columns_per_s: float, bucket_ns: int | None) -> int:
    """Give the narrowest width that is not under `1 / columns_per_s`.

    `bucket_ns` is the width of the stream's own buckets; None when its samples stand for themselves.
    """
    wanted = 1e9 / columns_per_s
    width = bucket_ns or BASE_NS
    while bucket_ns is None and width % 2 == 0 and width // 2 >= wanted:
        width //= 2
    while width < wanted:
        width *= 2
    return width


def is_raw(width: int, usual_ns: int | None, is_now: bool = False) -> bool:
    """Whether samples as they are take no more room than columns of a width would: `usual_ns` lie between two samples.

    Not as long as that is not known. Who is sent samples (`is_now`) stays so until columns take half the room.
    """
    return usual_ns is not None and width <= (2 * _ROOM if is_now else _ROOM) * usual_ns
