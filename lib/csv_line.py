"""One line of a CSV file read with patience: what the fast reader does not take, it is given field by field, or is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext

from speeddata.csv_dialect import NULL_WORDS, has_open_quote, is_number, split_line
from speeddata.csv_layout import Kind, Layout
from speeddata.csv_scan import MAX_KEYS, Scan
from speeddata.errors import FormatError

__all__ = ["BLANK", "NAMES_AGAIN", "TAKEN", "Lines"]

TAKEN, BLANK, NAMES_AGAIN = "", "blank", "names again"
(NONE, SHAPE, NUMBER, WHOLE, FLAG, TIME, RANGE, WEEKDAY, TEXT, NULL, KEY, MISSING, TWICE, NEW) = range(14)
REASONS = {
    SHAPE: "wanted {kind}", NUMBER: "wanted a number", WHOLE: "wanted a whole number of {bits} bits",
    FLAG: "wanted true or false", TIME: "wanted a time as {format}",
    RANGE: "a time outside of the years 1677 to 2262", WEEKDAY: "the weekday is not that of the date",
    TEXT: "not UTF-8", NULL: "empty, which the channel does not allow",
    MISSING: "a local time that there never was: clocks were put forward",
    TWICE: "a local time that there was twice: clocks were put back",
}  # fmt: skip
NUMERIC = (Kind.DOUBLE, Kind.FLOAT)
SHOWN = 60  # characters of a value


@dataclass
class Lines:
    """Takes lines for a scan by its layout; `settled` when kinds of columns cannot change any more."""

    layout: Layout
    names: Sequence[str]  # of the columns, as the file's first line has them; empty where it has none
    settled: bool = False

    def take(self, scan: Scan, raw: bytes, last: bool) -> str:
        """Take a line; TAKEN, BLANK, NAMES_AGAIN, or why it is refused. The file ends with the `last`."""
        if not raw.strip():
            return BLANK
        if b"\0" in raw:
            return "it has a NUL byte"
        try:
            text = raw.rstrip(b"\r\n").decode(self.layout.encoding)
        except UnicodeDecodeError:
            return f"not {self.layout.encoding.upper()}"
        try:
            if last and has_open_quote(text, self.layout.delimiter, self.layout.quote):
                return "an open quote at the end of the file"
            cells = [cell.strip() for cell in split_line(text, self.layout.delimiter, self.layout.quote)]
        except FormatError as error:
            return str(error)
        if self.names and cells == list(self.names):
            return NAMES_AGAIN
        width = len(self.layout.columns)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            fields = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
            cut = last and not raw.endswith(b"\n")
            return f"cut off after {fields} of {width}" if cut else f"{fields}, wanted {width}"
        return self._add(scan, cells)

    def _add(self, scan: Scan, cells: Sequence[str]) -> str:
        fields = [self._spelled(kind, cell).encode() for kind, cell in zip(scan.kinds(), cells, strict=True)]
        while (found := scan.add(fields)) is not None:
            fault, place = found
            if not self._settle(scan, fault, place, cells[place], fields[place]):
                return self._reason(scan, fault, place, cells[place])
        return TAKEN

    def _spelled(self, kind: int, cell: str) -> str:
        """A number of more digits than the fast reader takes, in fewer digits, the same or nearest."""
        if len(cell) < 20 or kind not in (Kind.EPOCH, *NUMERIC) or not is_number(cell, self.layout.decimal):
            return cell
        plain = cell.replace(self.layout.decimal, ".")
        if kind in NUMERIC:
            return repr(float(plain)).replace(".", self.layout.decimal) if len(cell) > 400 else cell
        try:
            with localcontext() as context:
                context.prec = 400
                whole = int(Decimal(plain).scaleb(self.layout.epoch_power).to_integral_value())
        except InvalidOperation:
            return cell
        return f"{whole}e-{self.layout.epoch_power}" if abs(whole) < 10**19 else cell

    def _settle(self, scan: Scan, fault: int, place: int, cell: str, field: bytes) -> bool:
        """Make room for what a line brings that is new: a channel, the first value of a column, a fraction."""
        if fault == KEY and not self.settled:
            try:
                scan.add_key(field)
            except OverflowError:
                raise FormatError(
                    f"column {self.layout.columns[place].name!r} has over {MAX_KEYS} values, so many channels "
                    "are not made"
                ) from None
            return True
        if self.settled:
            return False
        if (
            fault == WHOLE
            and scan.kinds()[place] == Kind.LONG
            and is_number_or_nan(cell, self.layout.decimal)
        ):
            scan.set_kind(place, Kind.DOUBLE)
            return True
        if fault == NEW:
            flag = cell.lower() in ("true", "false")
            number = is_number_or_nan(cell, self.layout.decimal)
            scan.set_kind(place, Kind.DOUBLE if number else Kind.FLAG if flag else Kind.TEXT)
            return True
        return False

    def _reason(self, scan: Scan, fault: int, place: int, cell: str) -> str:
        if fault == KEY:
            return f"column {self.layout.columns[place].name!r} has a value that was not there before"
        kind = scan.kinds()[place]
        if fault == SHAPE:
            fault = TIME if kind in (Kind.TIME, Kind.CLOCK, Kind.EPOCH) else NUMBER
        shown = cell if len(cell) <= SHOWN else f"{cell[:SHOWN]}..."
        times = "a number" if kind == Kind.EPOCH else " ".join(p.format for p in self.layout.programs)
        reason = REASONS[fault].format(
            kind="another form",
            bits=32 if kind == Kind.INT else 64,
            format=times.replace("[clock]", "").replace("[:%S]", ":%S"),
        )
        return f"column {self.layout.columns[place].name!r}: {reason}, not {shown!r}"


def is_number_or_nan(text: str, decimal: str) -> bool:
    word = text.lower().lstrip("+-")
    return is_number(text, decimal) or word in ("nan", "inf", "infinity") or word in NULL_WORDS
