"""CSV bodies of an ingest: a line of the signals' names, then a line a record. What a cell means, the schema says."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from speeddata.infer_schema import Inferred, infer_columns
from speeddata.pivot.ingest_batch import Columns, Content, Faults, Part, Ready
from speeddata.pivot.ingest_options import IN_THE_URL
from speeddata.pivot.ingest_specs import Known
from speeddata.pivot.problem import Problem
from speeddata.schema import Signal

__all__ = ["Csv", "read_csv"]

MAX_COLUMNS = 10_000
TYPES = {
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
FLAGS = {"true": True, "false": False, "1": True, "0": False}


def read_csv(data: bytes, channel: str | None, delimiter: str) -> list[Part]:
    """The part of a body."""
    if channel is None:
        raise Problem(400, "No channel is named", field="channel", wanted=IN_THE_URL)
    return [Part(channel, Csv(data, delimiter))]


class Csv(Content):
    """Lines of text, the first of which names the columns. An empty cell is null, or empty text."""

    def __init__(self, data: bytes, delimiter: str = ",") -> None:
        self.data = data.removeprefix(b"\xef\xbb\xbf")
        self.delimiter = delimiter
        self.names: list[str] = []
        try:
            self.data.decode()
        except UnicodeDecodeError as error:
            raise Problem(400, "The body is not UTF-8", field="body", byte=error.start) from None
        self._require_closed_quotes()
        self.names = self._names()

    def _require_closed_quotes(self) -> None:
        """A quote that is not closed would take the rest of the body, or the rows up to the next one, for a text."""
        if self.data.count(b'"') % 2:
            last = self.data.rindex(b'"')
            line = self.data.count(b"\n", 0, last) + 1
            error = f"The body is not CSV: a quote is not closed, the last one is in line {line}"
            raise Problem(
                400,
                error,
                field="body",
                line=line,
                wanted='quotes in pairs; inside of quotes "" stands for one',
            )

    def _names(self) -> list[str]:
        line = self.data[: self.data.find(b"\n") + 1 or None]
        if line.count(self.delimiter.encode()) >= MAX_COLUMNS:
            raise Problem(400, f"More than {MAX_COLUMNS} columns", field="body")
        if not line.strip():
            raise Problem(
                400,
                "The body is empty",
                field="body",
                wanted="a line with the names of the signals, and lines of values",
            )
        faults = Faults()
        names = [str(name) for name in self._read(line, {}, faults, "").column_names]
        if len(set(names)) < len(names):
            raise Problem(400, "Two columns of the same name", field="body", columns=names[:20])
        return names

    def encode(self, known: Known, given: str | None, ignore_unknown: bool, faults: Faults) -> Ready | None:
        signals = {signal.name: signal for signal in known.plan.schema.signals}
        time = known.plan.schema.time
        types = {name: TYPES.get(s.type, pa.string()) for name, s in signals.items() if name != time}
        table = self._table(types, faults, known.name)
        if table is None:
            return None
        columns: dict[str, Any] = {}
        for name, column in zip(self.names, table.columns, strict=True):
            cells = _cells(column)
            signal = signals.get(name)
            columns[name] = cells if signal is None else _as(signal, name == time, cells)
        return Columns(columns).encode(known, given, ignore_unknown, faults)

    def _table(self, types: dict[str, pa.DataType], faults: Faults, channel: str) -> "pa.Table | None":
        """All cells, as text where some is not of its type; None where some line has too many, or too few."""
        before = faults.rows
        try:
            table = self._read(self.data, types, ours := Faults(), channel)
        except Problem:
            table = self._read(self.data, {}, ours := Faults(), channel)
        faults.take(ours)
        return table if faults.rows == before else None

    def infer(self, name: str, time_unit: str | None) -> Inferred:
        faults = Faults()
        table = self._read(self.data, None, faults, name)
        if faults.errors:
            raise faults.problem()
        columns = {n: _cells(column) for n, column in zip(self.names, table.columns, strict=True)}
        if "time" in columns:
            columns["time"] = _times([None if cell is None else str(cell) for cell in columns["time"]])
        return infer_columns(columns, name, time_unit)

    def _read(
        self, data: bytes, types: dict[str, pa.DataType] | None, faults: Faults, channel: str
    ) -> "pa.Table":
        """Read cells: those of a column in `types` as that, others as text; None: as what they look like."""

        def refuse(row: arrow_csv.InvalidRow) -> str:
            # The line of names is the first.
            number = None if row.number is None else row.number - 2
            faults.rows += 1
            expected = f"{row.expected_columns} cells, as the first line has"
            faults.add(channel, number, None, f"{row.actual_columns} cells", expected)
            return "skip"

        if types is not None:
            types = dict.fromkeys(self.names, pa.string()) | types
        try:
            return arrow_csv.read_csv(
                io.BytesIO(data),
                read_options=arrow_csv.ReadOptions(use_threads=False, block_size=max(len(data) + 1, 1024)),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=refuse
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    timestamp_parsers=["(never)"],
                ),
            )
        except (pa.ArrowException, ValueError) as error:
            raise Problem(400, f"The body is not CSV: {str(error)[:300]}", field="body") from None


def _cells(column: "pa.ChunkedArray[Any]") -> list[Any]:
    if column.null_count or pa.types.is_string(column.type):
        listed: list[Any] = column.to_pylist()
        return listed
    cells: list[Any] = column.to_numpy().tolist()
    return cells


def _as(signal: Signal, time: bool, cells: list[Any]) -> list[Any]:
    """The cells as what the signal is; a text that it cannot be stays one, for the encoder to refuse."""
    if time:
        return _times(cells)
    if signal.type == "string" and not signal.nullable:
        return ["" if cell is None else cell for cell in cells]
    if signal.type not in TYPES:
        return cells
    return [_value(signal.type, cell) if isinstance(cell, str) else cell for cell in cells]


def _times(cells: list[Any]) -> list[Any]:
    """Numbers where they are written so, else the text."""
    return [_time(cell) if isinstance(cell, str) else cell for cell in cells]


def _time(cell: str) -> Any:
    if cell[4:5] == "-" or "_" in cell:
        return cell
    try:
        return int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        return cell


def _value(kind: str, cell: str) -> Any:
    if kind == "boolean":
        return FLAGS.get(cell.strip().lower(), cell)
    if "_" in cell:  # which Python would take
        return cell
    try:
        return int(cell) if kind in ("int", "long") else float(cell)
    except ValueError:
        return cell
