from typing_extensions import Buffer

def send_load(fd: int, packets: Buffer, size: int, joined: bool, rate: float, seconds: float) -> int:
    """Send `packets`, which are of one `size`, over and over by a connected socket; gives how many were sent.

    `joined`: the socket has UDP_SEGMENT set, so that one message holds them all. `rate` 0: as fast as it goes.
    """

def count_packets(fd: int, stop: int, slots: bytearray) -> int:
    """Receive and count packets until `stop` is readable and the socket empty; `slots` is room for a burst of them."""
