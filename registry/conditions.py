"""How a channel fares: its state, the reason, since when. Pure.

starting   its relay lives and does not receive yet
active     packets come, or came a moment ago
idle       its relay receives, and nothing has come for a while
degraded   its relay lives but cannot archive, or its live streams cannot be sent
backoff    its relay has died or could not start, and is about to be started again
failed     the same, many times in a row; it is tried on, every half a minute
stopped    it does not run
ingest     it has no port, and so no relay of its own
"""

from dataclasses import dataclass
from typing import Any

from speeddata.times import format_time

__all__ = ["FAILED_AFTER", "STATES", "TROUBLED", "WITHOUT_PORT", "Fault", "condition"]

Json = dict[str, Any]
STATES = ("starting", "active", "idle", "degraded", "backoff", "failed", "stopped", "ingest")
TROUBLED = ("degraded", "backoff", "failed")
WITHOUT_PORT = "ingest"
FAILED_AFTER = 8  # attempts in a row


@dataclass(frozen=True)
class Fault:
    """Why a channel could not be started, and how often that was tried."""

    reason: str
    since_ns: int
    tries: int = 1


def condition(
    port: int | None,
    running: Json | None,
    fault: Fault | None,
    trouble: str,
    idle_after_s: float,
    now_ns: int,
    live_error: str | None = None,
) -> Json:
    """State, reason and since of a channel: what the keeper says, else why it was not started.

    `trouble`: why nothing runs, or why the keeper says nothing. `live_error`: what keeps that which comes by HTTP from being sent live.
    """
    if running:
        told = _running(running, idle_after_s, now_ns)
        return told | _not_live(live_error) if told["state"] in ("active", "idle") else told
    if port is None:
        return _condition(WITHOUT_PORT) | _not_live(live_error)
    if fault:
        state = "failed" if fault.tries >= FAILED_AFTER else "backoff"
        return _condition(state, fault.reason, fault.since_ns)
    return _condition("stopped", trouble)


def _running(running: Json, idle_after_s: float, now_ns: int) -> Json:
    state, reason, since_ns = running["state"], running["reason"] or "", running["since"]
    last_ns = running.get("last_packet")
    if state == "active" and now_ns - max(last_ns or 0, since_ns) > idle_after_s * 1e9:
        state = "idle"
        reason = f"no packet since {format_time(last_ns)}" if last_ns else "no packet has come"
        since_ns = max(last_ns or 0, since_ns)
    return _condition(state, reason, since_ns, running["restarts"])


def _not_live(live_error: str | None) -> Json:
    """What a channel that is well otherwise fares like then; nothing where nothing keeps it from being sent live."""
    return {"state": "degraded", "reason": f"what comes by HTTP is {live_error}"} if live_error else {}


def _condition(state: str, reason: str = "", since_ns: int | None = None, restarts: int = 0) -> Json:
    since = None if since_ns is None else format_time(since_ns)
    return {"state": state, "reason": reason, "restarts": restarts, "since": since}
