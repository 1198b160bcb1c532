from speeddata.plan import Plan
from speeddata.relay.doorbell import Doorbell
from speeddata.relay.mapping import Mapping

class Receiver:
    """Receives one channel's packets into its mapping; `run` is the body of a thread.

    `plans` are the versions of the schema, of which framed packets say which they are of. `socket` is bound and has SO_TIMESTAMPNS on; `joined` says that it has UDP_GRO too; with `spin` it is asked without a pause; `forward` is connected to the full-rate group, or -1.
    """

    def __init__(
        self,
        mapping: Mapping,
        plans: list[Plan],
        socket: int,
        forward: int,
        single_object: bool,
        joined: bool,
        spin: bool,
        age_s: float,
        bell: Doorbell,
        writer: Doorbell,
        decimator: Doorbell,
        clerk: Doorbell,
    ) -> None: ...
    def resume(self, unit: int) -> None:
        """Take over the mapping; `unit` is the TimeUnit known so far, for a mapping that knows none yet."""

    def run(self) -> None:
        """Receive until the doorbell says stop and the socket is empty. OSError when receiving fails for good."""
