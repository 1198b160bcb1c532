from collections.abc import Iterable, Sequence

from speeddata.csv_layout import Layout

MAX_KEYS: int
MAX_LINE: int

class Scan:
    """Reads ranges of a file by a layout. With `encode` it makes records, without it looks at them only.

    `folds` tells where an hour that comes twice is its first (0) or second (1) time: offsets in the file, ascending.
    """

    layout: Layout
    rows: int
    lines: int
    blanks: int
    backward: int
    """Rows whose time is before that of the row above."""
    equal: int
    first_ns: int
    last_ns: int
    lowest_ns: int
    highest_ns: int
    finest: int
    """The unit that holds all times: 0 s, 1 ms, 2 us, 3 ns."""
    finer: bool
    """Times were rounded to ns."""
    keys: list[bytes]
    number: int
    """Of the next row, where times are told by numbers."""

    def __init__(
        self,
        layout: Layout,
        encode: bool = False,
        keys: Iterable[bytes] = (),
        folds: Sequence[tuple[int, int]] = (),
    ) -> None: ...
    def load(self, fd: int, start: int, stop: int, size: int) -> None:
        """Read the lines that begin in [start, stop), the first of them at `start`."""

    @property
    def position(self) -> int:
        """Offset in the file of the line that comes next."""

    def run(self) -> tuple[int, int] | None:
        """Go on up to a line that cannot be taken, and give its fault and the place of the field; None at the end."""

    def line(self) -> bytes | None:
        """The line that comes next, with its line ends; None when it is longer than MAX_LINE."""

    def crc(self, crc: int) -> int:
        """CRC-32C of what was read since the last load, going on from another."""

    def skip(self, length: int, lines: int) -> None:
        """Leave out so many bytes, which are so many lines."""

    def jump(self, offset: int, lines: int) -> None:
        """Go on at an offset of the file beyond what is loaded."""

    def add(self, fields: list[bytes]) -> tuple[int, int] | None:
        """Take a line by its fields; give the fault and the place of the field, or None."""

    def add_key(self, key: bytes) -> None:
        """Make a value of the column that names channels known; OverflowError when there are too many."""

    def set_kind(self, place: int, kind: int) -> None: ...
    def kinds(self) -> list[int]: ...
    def nulls(self) -> list[int]: ...
    def largest(self) -> tuple[int, int]:
        """The largest day and month by number that a time had."""

    def counts(self) -> list[int]:
        """Rows of each key."""

    @property
    def made(self) -> int:
        """Bytes of the records made and not taken yet."""

    def take(self) -> list[tuple[int, int, bytes]]:
        """The records made: for each key that has some its number, how many, and their bytes."""

    def take_events(self) -> tuple[list[tuple[int, int, int, int]], tuple[int, int] | None]:
        """What was seen of hours that come twice: (offset, local s, span, kind), and the last line's (local s, span)."""
