"""Compression of HDF5 datasets: what `compression=` may be, and which filters that means."""

from typing import Any

import h5py

from speeddata.errors import FormatError

__all__ = ["COMPRESSIONS", "filters", "load_filters"]

COMPRESSIONS = ("none", "gzip", "lzf", "zstd", "bitshuffle-lz4")
GZIP_LEVEL = 4
ZSTD_LEVEL = 1
REGISTERED = (
    256  # filters from this number on are no part of HDF5, and come as plugins; h5py brings its lzf along
)
LZF = 32000


def filters(compression: str) -> dict[str, Any]:
    """What h5py's create_dataset takes for a compression; FormatError where it cannot be had here."""
    if compression == "none":
        return {}
    if compression == "gzip":
        return {"compression": "gzip", "compression_opts": GZIP_LEVEL, "shuffle": True}
    if compression == "lzf":
        return {"compression": "lzf", "shuffle": True}
    if compression not in COMPRESSIONS:
        raise FormatError(f"compression {compression!r}, wanted one of {', '.join(COMPRESSIONS)}")
    try:
        import hdf5plugin
    except ImportError:
        raise FormatError(f"compression {compression!r} needs the package hdf5plugin") from None
    if compression == "zstd":
        return {**hdf5plugin.Zstd(clevel=ZSTD_LEVEL), "shuffle": True}
    return dict(hdf5plugin.Bitshuffle(cname="lz4"))


def load_filters(dataset: h5py.Dataset) -> None:
    """See that a dataset can be read which was compressed by filters that are no part of HDF5."""
    plan = dataset.id.get_create_plist()
    used = {plan.get_filter(place)[0] for place in range(plan.get_nfilters())}
    if any(number >= REGISTERED and number != LZF for number in used):
        import hdf5plugin  # noqa: F401
