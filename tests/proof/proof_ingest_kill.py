"""`kill -9` of the shared relay under load, hundreds of times: every acknowledged batch is in the archive once, none in part.

Clients send each batch until it is acknowledged, some asking for an fsync. KILLS=n makes it another number of kills.
"""

import os
from pathlib import Path

from ingest_kills import kill_again_and_again

KILLS = int(os.environ.get("KILLS", "300"))
ROUND = 50  # kills of one data folder


def test_batches_are_appended_once(tmp_path: Path) -> None:
    for number in range(0, KILLS, ROUND):
        batches, repeated = kill_again_and_again(tmp_path / str(number), min(ROUND, KILLS - number), 4, 0.4)
        print(
            f"{number + ROUND} kills: {batches} batches, of which {repeated} were there already when sent again"
        )
