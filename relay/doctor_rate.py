"""The rate that a machine will hold, reckoned from what `speeddata doctor` measured: the least of what each part holds. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from speeddata.relay.doctor_capture import Capture
from speeddata.relay.doctor_storage import Storage

__all__ = ["Held", "held_rates"]


@dataclass(frozen=True)
class Held:
    """What the machine holds of packets of one record, in records a second, and by which part it is limited."""

    bytes: int
    capture: float
    storage: float
    replacement: float  # none is lost while a relay is replaced
    at_least: bool  # the sender of the simulation went no faster, and nothing else is slower

    @property
    def records_per_s(self) -> float:
        return min(self.capture, self.storage, self.replacement)

    @property
    def limited_by(self) -> str:
        parts = {"capture": self.capture, "storage": self.storage, "replacement": self.replacement}
        return min(parts, key=lambda part: parts[part])

    def to_json(self) -> dict[str, Any]:
        """As `--json` tells it."""
        rate = self.records_per_s
        return {
            **asdict(self),
            "records_per_s": rate,
            "bytes_per_s": rate * self.bytes,
            "limited_by": self.limited_by,
        }


def held_rates(
    capture: Capture, storage: Storage, ring: int, packets: Sequence[dict[str, Any]]
) -> list[Held]:
    """For each size that capture tried; `packets` tells what the receive buffer holds meanwhile, by size."""
    replacement = {packet["bytes"]: packet["rate"] for packet in packets}
    disk = storage.bytes_per_s(ring)
    held = []
    for rate in capture.rates:
        one = Held(
            rate.bytes, rate.lossless or 0.0, disk / rate.bytes, replacement[rate.bytes], at_least=False
        )
        bound = rate.sender_bound and one.limited_by == "capture"
        held.append(Held(one.bytes, one.capture, one.storage, one.replacement, at_least=bound))
    return held
