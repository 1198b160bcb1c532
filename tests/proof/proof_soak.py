"""An hour at 80 % of the capacity, with a fault a minute: the books balance, memory and descriptors stay where they are.

A whole system, `speeddata run`, with three channels: one with UDP_GRO, one without, one slow with strings. The sources have
a core of their own. SOAK_S=n makes it so many seconds, SOAK_SEED=n another order of the faults, SOAK_SHARE=n another share
of the capacity. PROOF_STATE names a file that tells how far it is; a soak that was interrupted begins anew.
"""

import json
import os

import soak

SECONDS = float(os.environ.get("SOAK_S", "3600"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
SHARE = float(os.environ.get("SOAK_SHARE", "0.8"))
FAULT_EVERY_S = min(60.0, SECONDS / 12)


def test_soak(tmp_path):
    print(json.dumps(soak.run(tmp_path, SECONDS, FAULT_EVERY_S, SEED, share=SHARE)))
