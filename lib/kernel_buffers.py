"""How large the kernel's buffers of sockets are to be: what the service's sysctl file sets and doctor looks for. Bytes.

The receive buffer of a relay is a setting, `receive_buffer_bytes`.
"""

__all__ = ["DEFAULT_BUFFER", "SEND_BUFFER"]

SEND_BUFFER = 4 << 20  # that a relay asks for, for each stream that it sends
DEFAULT_BUFFER = 2 << 20  # to receive by, of programs that ask for none, as subscribers may be
