"""Writes an export as HDF5: all its channels in one file."""

from collections.abc import Mapping, Sequence

from speeddata.hdf5 import Group, create_file, write_group
from speeddata.hdf5_filters import filters
from speeddata.hdf5_table import CompoundGroup
from speeddata.pivot.export_options import Options
from speeddata.pivot.export_stream import Stream
from speeddata.pivot.spool import Spool

__all__ = ["write"]


def write(streams: Sequence[Stream], spool: Spool, about: Mapping[str, object], options: Options) -> None:
    """Write the streams to a spool, whose `check` tells afterwards whether the disk took them."""
    chosen = filters(options.compression)
    with create_file(spool, **about) as file:
        damages = 0
        for stream in streams:
            kinds = {column.name: column.kind for column in stream.columns}
            units = {column.name: column.unit for column in stream.columns}
            group: Group | CompoundGroup
            if options.layout == "table":
                group = CompoundGroup(file, stream.name, kinds, units, chosen)
                group.write(stream)
            else:
                group = write_group(file, stream.name, stream, kinds=kinds, units=units, filters=chosen)
            if not group.records and stream.columns:
                group.write([stream.empty])
            told = stream.about()
            damage = stream.damage
            damages += len(damage)
            more = {} if "fingerprint" not in told else {"fingerprint": told["fingerprint"]}
            group.finish(told.get("schema", ""), stream.gaps, damage, **more)
        file.attrs["corrupt_blocks"] = damages
    spool.check()
