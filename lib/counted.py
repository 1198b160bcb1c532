"""Numbers of things in words: one is no plural."""

__all__ = ["counted"]


def counted(count: int, noun: str, form: str = ",") -> str:
    """A number with what it counts, as `1 segment` or `2,000 segments`; `form` is that of format()."""
    return f"{count:{form}} {noun}" if count == 1 else f"{count:{form}} {noun}s"
