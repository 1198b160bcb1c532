"""A sender of numbered records that goes on until it is told to stop."""

import socket
import threading

from line import numbered

from speeddata.relay.sockets import UDP_SEGMENT


class Sender(threading.Thread):
    """Sends numbered records until it is told to stop."""

    def __init__(self, port, pause=0.0005, *, joined=False):
        super().__init__()
        self.pause = pause
        self.joined = joined
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.sent = 0
        self.ended = threading.Event()

    def run(self):
        with self.socket:
            while not self.ended.is_set():
                packets = [self.packet(self.sent + k) for k in range(20)]
                self.sent += len(packets)
                if self.joined and len(set(map(len, packets))) == 1:
                    self.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(packets[0]))
                    packets = [b"".join(packets)]
                for packet in packets:
                    self.send(packet)
                self.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
                self.ended.wait(self.pause)

    def packet(self, n):
        return numbered(n)

    def send(self, packet):
        self.socket.send(packet)

    def finish(self):
        self.ended.set()
        self.join()
        return self.sent
