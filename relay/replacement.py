"""How a channel goes over to another spec, or to another process, while what comes waits in its socket.

live       what a relay takes over while it runs (the decimation): it is asked to
kill       what the next relay takes over in the same mapping: the present one is killed, which loses nothing at any instant
renew      what takes another mapping, or another buffer of the socket: the present one ends in order, the next begins afresh
"""

import signal
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from speeddata.errors import NoRelay, RelayError
from speeddata.relay.charge import Charge
from speeddata.relay.handover import ask_relay
from speeddata.relay.request_server import Answer
from speeddata.relay.spec import ChannelSpec, Decimation

__all__ = ["Replacement"]

LOOK_AGAIN_S = 0.002
GO_OVER_S = 2.0  # in which a relay that has just been started can be asked


@dataclass(frozen=True)
class Replacement:
    """Goes over from one relay to the next, for a keeper whose ways of doing things it is given."""

    folder: int  # descriptor of the run folder
    after: Callable[[float, Callable[[], None]], None]
    answer: Callable[[socket.socket, Answer], None]
    terminate: Callable[[Charge], None]  # have a relay end in order, and by force when it does not

    def begin(self, client: socket.socket, charge: Charge, wanted: ChannelSpec | None) -> Answer | None:
        """Have another relay go on with a channel; with another spec where one is wanted. None: the client is answered later."""
        if charge.stopping:
            raise RelayError(f"channel {charge.spec.name!r} is being stopped")
        if charge.following is not None:
            raise RelayError(f"channel {charge.spec.name!r} is just being changed")
        if wanted is not None:
            if charge.pid is not None and wanted == replace(charge.spec, decimation=wanted.decimation):
                return self._go_over(client, charge, wanted.decimation, time.monotonic() + GO_OVER_S)
            if charge.renewable(wanted):
                return self._renew(client, charge, wanted)
            charge.change(wanted)
        if charge.pid is None:
            return {"pid": None}
        charge.replacing.append(client)
        charge.replaced = True
        charge.signal(signal.SIGKILL)
        return None

    def ended(self, charge: Charge, delay_s: float) -> float:
        """A relay has ended that another is to follow; after how long."""
        if charge.following is None:
            return delay_s
        if charge.mapping.clean:
            charge.renew()
        else:
            charge.following = None
            self._tell(
                charge,
                {
                    "ok": False,
                    "error": f"{charge.spec.name}: the relay could not end in order, nothing is changed",
                },
            )
        return 0.0

    def tell(self, charge: Charge) -> None:
        """Answer who asked for another relay, as soon as it receives or has failed."""
        if charge.pid is not None and not charge.receives():
            if charge.replacing:
                self.after(LOOK_AGAIN_S, lambda: self.tell(charge))
            return
        answer: Answer = {"ok": True, "pid": charge.pid}
        if charge.pid is None:
            answer = {"ok": False, "error": f"{charge.spec.name}: the next relay ended: {charge.reason}"}
        self._tell(charge, answer)

    def _tell(self, charge: Charge, answer: Answer) -> None:
        while charge.replacing:
            self.answer(charge.replacing.pop(), answer)

    def _renew(self, client: socket.socket, charge: Charge, wanted: ChannelSpec) -> Answer | None:
        charge.follow_with(wanted)
        if charge.pid is None:
            if charge.mapping.clean:
                charge.renew()
                return {"pid": None}
            charge.following = None
            raise RelayError(f"channel {wanted.name!r}: what its last relay left is to be written first")
        charge.replacing.append(client)
        charge.replaced = True
        self.terminate(charge)
        return None

    def _go_over(
        self, client: socket.socket, charge: Charge, decimation: Decimation, until: float
    ) -> Answer | None:
        """Decimate in another way; a relay that is only about to open its socket, or to follow a dead one, is asked later."""
        try:
            self._decimate(charge, decimation)
        except NoRelay:
            if time.monotonic() > until:
                raise
            self.after(LOOK_AGAIN_S, lambda: self._go_over_later(client, charge, decimation, until))
            return None
        return {"pid": charge.pid}

    def _go_over_later(
        self, client: socket.socket, charge: Charge, decimation: Decimation, until: float
    ) -> None:
        try:
            answer = self._go_over(client, charge, decimation, until)
        except RelayError as error:
            answer = {"ok": False, "error": str(error)}
        if answer is not None:
            self.answer(client, {"ok": True, **answer})

    def _decimate(self, charge: Charge, decimation: Decimation) -> None:
        """Have a channel's relay, and those that follow it, decimate in another way."""
        if charge.pid is not None:
            ask_relay(self.folder, charge.spec.name, {"op": "decimate", "decimation": asdict(decimation)})
        charge.spec = replace(charge.spec, decimation=decimation)
