"""How much a client may say: enough for any page, too little to keep the server busy.

A token bucket: a message costs 1 and 1 per KiB of it.
"""

BURST = 300.0
PER_S = 50.0


class Allowance:
    """What one client may still say."""

    def __init__(self) -> None:
        self._left = BURST
        self._at_s: float | None = None

    def take(self, length: int, now_s: float) -> bool:
        """Take in a message of so many bytes or characters; False when it is one too many."""
        if self._at_s is not None:
            self._left = min(BURST, self._left + (now_s - self._at_s) * PER_S)
        self._at_s = now_s
        self._left -= 1 + length / 1024
        return self._left >= 0
