"""What the shared relay does before it begins: every segment that the last one worked on is cut to what its journal says.

So a batch that was not done when the process was killed leaves nothing. After a power failure a segment may also be shorter
than that, as those of other relays may be.
"""

import logging
import os
from pathlib import Path

from speeddata.container import MAX_HEAD, Head, parse_head
from speeddata.durable import sync_file, sync_folder
from speeddata.errors import ArchiveError
from speeddata.index import ENTRY_SIZE, HEAD_SIZE, index_path
from speeddata.mend import mend
from speeddata.relay.ingest_journal import OpenSegment, read_state
from speeddata.relay.repair import is_whole

__all__ = ["recover"]

log = logging.getLogger(__name__)


def recover(journal: Path) -> list[str]:
    """Cut and mend what the last shared relay left; in words, what could not be. OSError where the disk refuses."""
    state, _ = read_state(journal)
    failed = []
    for name, told in state.segments.items():
        path = Path(told.folder) / name
        try:
            _recover(path, told)
        except FileNotFoundError:  # somebody has deleted it
            continue
        except ArchiveError as error:
            failed.append(f"{name}: {error}")
    return failed


def _recover(path: Path, told: OpenSegment) -> None:
    head = _head(path)
    if head is not None and head.sync.hex() != told.sync:
        return  # it has been sealed, or is another
    if told.entries == 0 or head is None:
        log.info("%s holds nothing that is done, removed", path.name)
        path.unlink()
        index_path(path).unlink(missing_ok=True)
        return
    cut = _cut(path, told.bytes)
    _cut(index_path(path), HEAD_SIZE + told.entries * ENTRY_SIZE)
    if cut > 0:
        log.warning("%s: cut %d bytes of batches that were not done", path.name, cut)
    if not is_whole(path, look_inside=True):
        log.warning("repaired %s", mend(path, limited=True))
    for one in (path, index_path(path)):
        sync_file(one)
    sync_folder(path.parent)


def _head(path: Path) -> Head | None:
    """The head of a segment; None where the file ends before it does. ArchiveError when it is none."""
    with path.open("rb") as file:
        return parse_head(file.read(MAX_HEAD))


def _cut(path: Path, size: int) -> int:
    """Cut a file that is longer; bytes that went."""
    try:
        more = path.stat().st_size - size
    except FileNotFoundError:
        return 0
    if more > 0:
        os.truncate(path, size)
    return more
