from speeddata.plan import Plan
from speeddata.relay.doorbell import Doorbell
from speeddata.relay.mapping import Mapping
from speeddata.relay.signature import Signatures

class Receiver:
    """Receives one channel's packets into its mapping; `run` is the body of a thread.

    `plans` are the versions of the schema, of which framed packets say which they are of. `socket` is bound and has SO_TIMESTAMPNS on; `joined` says that it has UDP_GRO too; with `spin` it is asked without a pause; `forward` is connected to the full-rate group, or -1.
    `networks` are pairs of address and mask as on the wire, from which packets are taken; none for everywhere.
    `signatures`, where there are any, must packets bear; their keys are in the mapping.
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
        networks: list[tuple[int, int]],
        bell: Doorbell,
        writer: Doorbell,
        decimator: Doorbell,
        clerk: Doorbell,
        signatures: Signatures | None = None,
    ) -> None: ...
    def resume(self, unit: int) -> None:
        """Take over the mapping; `unit` is the TimeUnit known so far, for a mapping that knows none yet."""

    def run(self) -> None:
        """Receive until the doorbell says stop and the socket is empty. OSError when receiving fails for good."""
