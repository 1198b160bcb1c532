"""SpeedData: record, watch live and analyse telemetry that arrives as Avro over UDP.

The names of `__all__` are imported when they are first used, so that `import speeddata` costs nothing.
"""

from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speeddata.client import RegistryError as RegistryError
    from speeddata.client import SpeedDataClient as SpeedDataClient
    from speeddata.dataset import Channel as Channel
    from speeddata.dataset import DataSet as DataSet
    from speeddata.dataset import Set as Set
    from speeddata.dataset import Signal as Signal
    from speeddata.dataset import align as align
    from speeddata.dataset import read_arrow as read_arrow
    from speeddata.dataset import read_avro as read_avro
    from speeddata.dataset import read_csv as read_csv
    from speeddata.dataset import read_hdf5 as read_hdf5
    from speeddata.dataset import read_parquet as read_parquet
    from speeddata.remote_client import Client as Client
    from speeddata.remote_error import RemoteError as RemoteError
    from speeddata.remote_set import open_source as open  # noqa: A004
    from speeddata.settings import load_config as load_config

__version__ = "0.7.0.dev0"

HOMES = {
    "Channel": "dataset",
    "Client": "remote_client",
    "DataSet": "dataset",
    "RegistryError": "client",
    "RemoteError": "remote_error",
    "Set": "dataset",
    "Signal": "dataset",
    "SpeedDataClient": "client",
    "align": "dataset",
    "load_config": "settings",
    "open": "remote_set",
    "read_arrow": "dataset",
    "read_avro": "dataset",
    "read_csv": "dataset",
    "read_hdf5": "dataset",
    "read_parquet": "dataset",
}
RENAMED = {"open": "open_source"}  # in their modules
__all__ = [
    "Channel",
    "Client",
    "DataSet",
    "RegistryError",
    "RemoteError",
    "Set",
    "Signal",
    "SpeedDataClient",
    "__version__",
    "align",
    "load_config",
    "open",
    "read_arrow",
    "read_avro",
    "read_csv",
    "read_hdf5",
    "read_parquet",
]


def _check_built(folder: Path) -> None:
    """Raise ImportError in a source tree whose compiled modules have not been built."""
    missing = [
        source.stem
        for source in sorted(folder.glob("*.pyx"))
        if not any(source.with_name(source.stem + suffix).exists() for suffix in EXTENSION_SUFFIXES)
    ]
    if missing:
        raise ImportError(
            f"SpeedData in {folder.parent} is not built, {', '.join(missing)} must be compiled first. Run: make build"
        )


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{HOMES[name]}"), RENAMED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})


_check_built(Path(__file__).parent)
