"""Power lost under the shared relay at random moments, by images of the disk: every batch that was acknowledged after its fsync
is there once, and none in part.

IMAGES=n makes it another number than 100. Goes on where it was interrupted when PROOF_STATE names a file. Needs root and
loop devices, and fails without.
"""

import os
from pathlib import Path

from ingest_power import lose_power_often
from progress import Progress

IMAGES = int(os.environ.get("IMAGES", "100"))
ROUND = 20  # images of one disk


def test_no_acknowledged_batch_is_lost(tmp_path: Path) -> None:
    progress = Progress("ingest_power", tmp_path, images=0, batches=0, unacknowledged=0)
    while progress["images"] < IMAGES:
        done = progress["images"]
        figures = lose_power_often(tmp_path / str(done), min(ROUND, IMAGES - done), seed=done)
        progress.save(**{key: progress[key] + value for key, value in figures.items()})
    progress.tell(lost=0, in_part=0)
