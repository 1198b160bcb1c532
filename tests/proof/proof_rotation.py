"""`kill -9` of a relay before and after each system call by which it rotates: nothing lost, nothing twice, all readable.

CALLS=n takes the first n calls of each name alone. Goes on where it was interrupted when PROOF_STATE names a file.
"""

import os
from itertools import count

from numbered_channel import keeping
from progress import Progress
from rotation_kills import strike_once, strikes

CALLS = int(os.environ.get("CALLS", "1000"))


def test_a_kill_at_each_write_of_a_rotation(tmp_path):
    progress = Progress("rotation", tmp_path, kills={})
    with keeping(tmp_path) as keeper:
        for strike in strikes():
            folder = tmp_path / str(strike)
            if str(strike) not in progress["kills"]:
                struck = next(
                    n
                    for n in count()
                    if n == CALLS or not strike_once(keeper, folder / str(n), strike, n + 1)
                )
                progress.save(kills=progress["kills"] | {str(strike): struck})
    kills = progress["kills"]
    progress.tell(total=sum(kills.values()), lost=0, twice=0, unreadable=0)
    # As many after calls as before: none was missed.
    assert all(kills[str(s)] == kills[str(s._replace(moment="after"))] for s in strikes())
