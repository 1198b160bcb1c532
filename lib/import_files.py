"""Which kind of file it is that is to be imported."""

from pathlib import Path

from speeddata.errors import FormatError
from speeddata.import_options import ImportOptions
from speeddata.import_plan import Source

__all__ = ["file_format", "open_source"]


def file_format(path: Path) -> str:
    """csv, parquet, hdf5 or avro, by the first bytes."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    if start.startswith(b"Obj\x01"):
        return "avro"
    if start.startswith(b"PAR1"):
        return "parquet"
    return "hdf5" if start == b"\x89HDF\r\n\x1a\n" else "csv"


def open_source(path: Path, options: ImportOptions, max_bad: int) -> tuple[Source, str]:
    """What imports a file, and the name that its channel has unless the user tells another; FormatError."""
    form = file_format(path)
    if form == "csv":
        from speeddata.import_csv import CsvSource

        return CsvSource(path, options, max_bad), path.stem
    from speeddata.import_tables import TableSource

    if form == "parquet":
        from speeddata.import_parquet import open_parquet

        file = open_parquet(path, options)
    elif form == "hdf5":
        from speeddata.import_hdf5 import open_hdf5

        file = open_hdf5(path, options)
    else:
        from speeddata.import_avro import open_avro

        file = open_avro(path, options)
    return TableSource(file, options), file.name
