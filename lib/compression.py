"""Compressing the contents of container blocks; `speeddata.container` does the opposite."""

import importlib.util
import zlib

__all__ = ["COMPRESSIONS", "Compressor", "unusable"]

COMPRESSIONS = ("zstandard", "deflate")
ZSTANDARD_LEVEL = 3
DEFLATE_LEVEL = 6
# The package that a codec needs, where it is not Python's own.
PACKAGES = {"zstandard": "zstandard"}


def unusable(codec: str) -> str:
    """Why a codec cannot be used here; empty when it can."""
    package = PACKAGES.get(codec)
    if package and importlib.util.find_spec(package) is None:
        return f"the package {package} is not installed"
    return ""


class Compressor:
    """Compresses one content after another; a thread of its own has one of its own."""

    def __init__(self, codec: str) -> None:
        assert codec in COMPRESSIONS, f"codec {codec!r}"
        self.codec = codec
        if codec == "zstandard":
            import zstandard

            self._zstandard = zstandard.ZstdCompressor(level=ZSTANDARD_LEVEL)

    def compress(self, content: bytes | memoryview) -> bytes:
        """A block's content as the codec has it."""
        if self.codec == "zstandard":
            return self._zstandard.compress(content)
        deflate = zlib.compressobj(DEFLATE_LEVEL, wbits=-15)
        return deflate.compress(content) + deflate.flush()
