"""Who may be writing to a segment just now, so that it must be let alone and its end may be half written."""

from pathlib import Path

from speeddata.lock import is_locked, lock_holder
from speeddata.open_files import open_for_writing

__all__ = ["writer_of"]


def writer_of(path: Path) -> str:
    """Who may be writing to a file of a channel's folder, in words; empty when nobody is.

    Where the kernel does not tell, a channel's relay that runs may be. The quarantine it opens only now and then. After
    a relay was killed its keeper starts another, which goes on in the newest segment.
    """
    told = open_for_writing(path)
    if told:
        return "a process has it open for writing"
    folder = path.absolute().parent
    lock = folder / ".lock"
    if is_locked(lock):
        relay = f"the channel's relay, process {lock_holder(lock) or 'unknown'}, runs"
        if told is None:
            return f"{relay}, and the kernel does not tell here whether it has the file open for writing"
        if not path.name.startswith(f"{folder.name}_"):
            return f"{relay}, and may write to it at any time"
        return ""
    keeper = folder.parents[1] / "run" / "keeper.lock" if len(folder.parents) > 1 else lock
    if lock.exists() and is_locked(keeper) and path.name == _newest(folder):
        return f"the keeper, process {lock_holder(keeper) or 'unknown'}, runs, and a relay that it starts may go on in it"
    return ""


def _newest(folder: Path) -> str:
    names = (entry.name for entry in folder.iterdir() if entry.name.startswith(f"{folder.name}_"))
    return max((name for name in names if name.endswith(".avro")), default="")
