"""Power lost at random moments, by images of the disk: all below the durable watermark is there, once and in order.

IMAGES=n makes it another number than 100. Goes on where it was interrupted when PROOF_STATE names a file. Needs root and
loop devices, and fails without.
"""

import os

from numbered_channel import keeping
from power_loss import lose_power_often
from progress import Progress

IMAGES = int(os.environ.get("IMAGES", "100"))
ROUND = 10  # images of one disk
DURABILITY = ("interval", "block")


def test_nothing_below_the_watermark_is_lost(tmp_path):
    progress = Progress("power", tmp_path, images=0, records=0, durable=0, repaired=0, empty=0)
    with keeping(tmp_path) as keeper:
        while progress["images"] < IMAGES:
            done = progress["images"]
            figures = lose_power_often(
                keeper,
                tmp_path / str(done),
                min(ROUND, IMAGES - done),
                DURABILITY[done // ROUND % 2],
                seed=done,
            )
            progress.save(**{key: progress[key] + value for key, value in figures.items()})
    progress.tell(lost=0)
    assert progress["empty"] == 0, "a repair leaves files that no Avro reader reads"
