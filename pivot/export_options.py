"""How the records of an export are given: format, compression, layout, decimation, a common time base. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from speeddata.errors import FormatError
from speeddata.hdf5_filters import filters
from speeddata.pivot.decimate import WANTED as DECIMATE_WANTED
from speeddata.pivot.decimate import Decimation, parse_width
from speeddata.pivot.export_formats import DEFAULT, FORMATS, Format, accepted
from speeddata.pivot.problem import unknown, wrong
from speeddata.settings_values import CHANNEL_NAME

__all__ = ["ALIGNMENTS", "LISTS", "NAMES", "Options", "known_name", "read_options", "require_known"]

ALIGNMENTS = ("previous", "linear", "nearest")
TIMES = ("iso", "ns", "s")
HEADERS = ("names", "units")
SPANS = ("start", "end", "duration", "channels", "signals", "tag")
LISTS = ("channels", "signals")
NAMES = (*SPANS, "format", "compression", "layout", "decimate", "align", "base", "time", "header")


@dataclass(frozen=True)
class Options:
    """What is made of the records."""

    format: Format = DEFAULT
    compression: str = "none"
    layout: str = "signals"  # of HDF5
    decimation: Decimation | None = None
    align: str | None = None  # None: each channel has its own times
    base_channel: str | None = None  # whose times all have; None: a rate
    base_width_ns: int | None = None
    time: str = "iso"  # of CSV and JSON lines: iso, ns or s
    header: str = "names"  # of CSV


def require_known(params: Mapping[str, object]) -> None:
    """See that there is a parameter of each name."""
    for name, value in params.items():
        known_name(name, value)


def known_name(name: str, value: object) -> str:
    """The name of a parameter, where there is one of that name."""
    if name not in NAMES:
        raise unknown(name, value, NAMES)
    return name


def read_options(params: Mapping[str, str | None], channels: tuple[str, ...], accept: str | None) -> Options:
    """Read the parameters that tell how; what `channels` may be is checked before."""
    name = params.get("format")
    if name and name not in FORMATS:
        raise wrong("format", name, f"one of {', '.join(FORMATS)}")
    chosen = FORMATS[name] if name else accepted(accept)
    base_channel, base_width_ns = _base(params.get("base"), params.get("align"), channels)
    for only, formats in (("layout", ("hdf5",)), ("time", ("csv", "jsonl")), ("header", ("csv",))):
        if params.get(only) and chosen.name not in formats:
            raise wrong(only, params[only] or "", f"none: it is for format={' and '.join(formats)}")
    return Options(
        chosen,
        _compression(params.get("compression"), chosen),
        _choice("layout", params.get("layout"), chosen.layouts or ("signals",)),
        _decimation(params.get("decimate")),
        _choice("align", params.get("align"), ALIGNMENTS) if params.get("align") else None,
        base_channel,
        base_width_ns,
        _choice("time", params.get("time"), TIMES),
        _choice("header", params.get("header"), HEADERS),
    )


def _choice(field: str, value: str | None, choices: tuple[str, ...]) -> str:
    if value and value not in choices:
        raise wrong(field, value, f"one of {', '.join(choices)}")
    return value or choices[0]


def _compression(value: str | None, chosen: Format) -> str:
    """A compression that the format has, and that can be had here."""
    compression = _choice("compression", value, chosen.compressions)
    if chosen.name == "hdf5":
        try:
            filters(compression)
        except FormatError as error:
            raise wrong("compression", compression, f"another one: {error}") from None
    return compression


def _decimation(value: str | None) -> Decimation | None:
    if not value:
        return None
    made = Decimation.parse(value)
    if made is None:
        raise wrong("decimate", value, DECIMATE_WANTED)
    return made


def _base(value: str | None, align: str | None, channels: tuple[str, ...]) -> tuple[str | None, int | None]:
    """Whose times all channels get: those of one of them, or of a rate."""
    if not align:
        if value:
            raise wrong("base", value, f"align beside it, one of {', '.join(ALIGNMENTS)}")
        return None, None
    if not value:
        return (channels[0] if channels else None), None
    if value in channels:
        return value, None
    width_ns = parse_width(value)
    if width_ns is None:
        raise wrong("base", value, "one of the channels asked for, or a rate or width such as 100Hz or 10ms")
    if CHANNEL_NAME.fullmatch(value) is None and width_ns <= 0:
        raise wrong("base", value, "a width above 0")
    return None, width_ns
