"""Every process of a system killed (`kill -9`) in random order under load: the books balance, nothing is left over, nothing leaks.

Relays, keeper, shared relay, live server, history, orchestrator: KILLS=n of them (200), by FATES_SEED. After each everything runs
again, and records of each channel go on into the archive.
"""

import json
import os

import fates

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("FATES_SEED", "1"))


def test_two_hundred_kills(tmp_path):
    print(json.dumps(fates.run(tmp_path, KILLS, SEED)))
