"""A sign of life of a process, for the one that started it: a line now and then, given by what does the work itself. It says what
keeps the process from doing all of it; empty where nothing does.

Who starts it passes the writing end of a pipe, whose number is in the environment. A process that was not passed one gives none.
"""

import asyncio
import contextlib
import os
import time

__all__ = ["BEAT_S", "PIPE", "VARIABLE", "Heartbeat", "newest"]

VARIABLE = "SPEEDDATA_HEARTBEAT"
BEAT_S = 1.0
MOST = 500  # characters of a line, which so is written at once
PIPE = 1 << 16  # bytes, all that a pipe holds: what is read so ends with a whole line


class Heartbeat:
    """Gives a sign of life, once a second at most; to be called by the loop that does the work."""

    def __init__(self) -> None:
        # Taken out, so that no child gives signs of life in our place.
        given = os.environ.pop(VARIABLE, "")
        self._fd = int(given) if given.isdigit() else -1
        self._due = 0.0
        if self._fd >= 0:
            os.set_inheritable(self._fd, False)
            os.set_blocking(self._fd, False)

    def beat(self, trouble: str = "") -> None:
        """Give one, if it is time for it. Nobody need be there to see it."""
        now = time.monotonic()
        if self._fd >= 0 and now >= self._due:
            self._due = now + BEAT_S
            with contextlib.suppress(OSError):  # not read for long, or who started us is gone
                os.write(self._fd, (" ".join(trouble[:MOST].split()) + "\n").encode(errors="replace"))

    async def beating(self) -> None:
        """Give them for ever, by a loop of asyncio."""
        while self._fd >= 0:
            self.beat()
            await asyncio.sleep(BEAT_S)


def newest(signs: bytes) -> str:
    """What keeps a process from doing all of its work, as the last of these signs of life says."""
    return signs.rpartition(b"\n")[0].rpartition(b"\n")[2].decode(errors="replace")
