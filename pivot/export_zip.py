"""Several channels in a format whose files hold one: a zip archive, stored, with a file for each and `about.json`."""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from speeddata.pivot.export_options import Options
from speeddata.pivot.export_room import outcome
from speeddata.pivot.export_sink import Sink
from speeddata.pivot.export_stream import Stream

__all__ = ["file_names", "write_zip"]

COPIED = 1 << 20  # bytes at a time


def file_names(streams: Sequence[Stream], suffix: str) -> list[str]:
    """What each file is called: names that differ by more than the case of letters."""
    used: set[str] = set()
    names = []
    for stream in streams:
        name = stream.name
        while name.lower() in used:
            name += "_"
        used.add(name.lower())
        names.append(name + suffix)
    return names


def write_zip(
    streams: Sequence[Stream],
    sink: Sink,
    about: Mapping[str, str],
    options: Options,
    make_temporary: Callable[[], BinaryIO],
) -> None:
    """Write the streams one after the other; each is made as a file by itself first."""
    told: dict[str, Any] = {}
    suffix = options.format.full_suffix(options.compression)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for stream, name in zip(streams, file_names(streams, suffix), strict=True):
            with make_temporary() as made:
                part = Sink(made.fileno(), sink.check)
                early = {f"speeddata.{key}": value for key, value in stream.about().items()}
                options.format.writer(stream, part, {**about, **early}, options)
                size = made.seek(0, 2)
                made.seek(0)
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.file_size = size
                with archive.open(info, "w", force_zip64=size > zipfile.ZIP64_LIMIT // 2) as place:
                    while data := made.read(COPIED):
                        place.write(data)
                        sink.check()
            known = {key: _parsed(value) for key, value in stream.about().items()}
            result = outcome(stream.records, stream.gaps, stream.damage)
            told[stream.name] = {"file": name, **known, **result}
        general = {key.removeprefix("speeddata."): _parsed(value) for key, value in about.items()}
        archive.writestr("about.json", json.dumps({**general, "channels": told}, indent=1))
    sink.check()


def _parsed(text: str) -> Any:
    """Text that is JSON as what it stands for."""
    return json.loads(text) if text[:1] in ("{", "[") else text
