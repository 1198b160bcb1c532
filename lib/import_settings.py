"""The options of `speeddata import`, and what their texts mean."""

from typing import Any

import click

from speeddata.archive_commands import read_time
from speeddata.cli_options import with_options
from speeddata.import_options import ImportOptions

__all__ = ["detection_options", "options_of"]

DELIMITERS = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "bar": "|",
    "pipe": "|",
    "blank": " ",
    "space": " ",
}
DECIMALS = {"point": ".", "comma": ",", ".": ".", ",": ","}
TYPES = ("double", "float", "long", "int", "boolean", "string")


def read_delimiter(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is None or len(text) == 1:
        return text
    if text in DELIMITERS:
        return DELIMITERS[text]
    raise click.BadParameter(f"{text!r}, wanted one character, or one of {', '.join(DELIMITERS)}")


def read_quote(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text in (None, "none", ""):
        return "" if text else None
    if text is not None and len(text) == 1:
        return text
    raise click.BadParameter(f"{text!r}, wanted one character, or none")


def read_names(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def read_columns(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[tuple[str, str | None], ...]:
    columns: list[tuple[str, str | None]] = []
    for entry in read_names(context, option, text):
        name, colon, kind = entry.rpartition(":")
        if colon and kind in TYPES:
            columns.append((name, kind))
        else:
            columns.append((entry, None))
    return tuple(columns)


def read_zone(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    from speeddata.csv_zones import spans_of
    from speeddata.errors import TimeError

    try:
        spans_of(text)
    except TimeError as error:
        raise click.BadParameter(str(error)) from None
    return text


def read_format(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    from speeddata.csv_times import compile_format
    from speeddata.errors import TimeError

    try:
        for part in text.split("|"):
            compile_format(part)
    except TimeError as error:
        raise click.BadParameter(str(error)) from None
    return text


DETECTION = (
    click.option("--delimiter", metavar="CHAR", callback=read_delimiter, help="Between fields: a character, comma, semicolon, tab, bar."),
    click.option("--quote", metavar="CHAR", callback=read_quote, help="Round fields, or none."),
    click.option("--decimal", type=click.Choice(list(DECIMALS)), help="Mark of decimal fractions."),
    click.option("--header/--no-header", default=None, help="Whether the first line names the columns."),
    click.option("--encoding", metavar="NAME", type=click.Choice(["utf-8", "cp1252", "latin-1"]), help="utf-8, cp1252 or latin-1."),
    click.option("--skip", type=click.IntRange(0), default=0, metavar="N", help="Leave out so many lines at the beginning."),
    click.option("--time-column", metavar="NAME[,NAME]", callback=read_names, help="Column of the times, or those of date and clock."),
    click.option("--time-format", metavar="FORMAT", callback=read_format, help="As '%d.%m.%y %H:%M:%S'; DATE|CLOCK for two columns."),
    click.option("--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Unit of times that are numbers."),
    click.option("--zone", metavar="ZONE", callback=read_zone, help="Of times without one, such as Europe/Zurich.  [default: UTC]"),
    click.option("--start", metavar="TIME", callback=read_time, help="Added to times that count from 0, or where --rate begins."),
    click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="HZ", help="There are no times: lines come so often."),
    click.option("--ambiguous", type=click.Choice(["order", "earlier", "later", "reject"]), default="order", show_default=True,
                 help="Which one local times are of the hour that comes twice: by the order of lines ..."),
    click.option("--nonexistent", type=click.Choice(["reject", "shift"]), default="reject", show_default=True,
                 help="What becomes of local times in the hour that is left out."),
    click.option("--weekdays", type=click.Choice(["check", "ignore"]), default="check", show_default=True,
                 help="Whether a weekday must be that of the date."),
    click.option("--columns", metavar="NAME[:TYPE],...", callback=read_columns,
                 help=f"Only these columns. TYPE is one of {', '.join(TYPES)}."),
    click.option("--without", metavar="NAME,...", callback=read_names, help="Leave out these columns."),
    click.option("--by", metavar="NAME", help="A channel for each value of this column."),
    click.option("--group", metavar="NAME", help="Only this group of an HDF5 file."),
    click.option("--channel", metavar="NAME", help="Channel to import into.  [default: the file's name]"),
)  # fmt: skip


detection_options = with_options(DETECTION)


def options_of(given: dict[str, Any]) -> ImportOptions:
    """What the options say; UsageError for those that do not go together."""
    from speeddata.settings_values import CHANNEL_NAME, NAME_WANTED

    if given["channel"] is not None and not CHANNEL_NAME.fullmatch(given["channel"]):
        raise click.BadParameter(f"{given['channel']!r}, wanted {NAME_WANTED}", param_hint="--channel")
    if given["rate"] is not None and given["time_column"]:
        raise click.UsageError("--rate is for files without times, so not with --time-column")
    decimal = given.pop("decimal")
    return ImportOptions(
        decimal=None if decimal is None else DECIMALS[decimal],
        start_ns=given.pop("start"),
        rate_hz=given.pop("rate"),
        missing=given.pop("nonexistent"),
        **given,
    )
