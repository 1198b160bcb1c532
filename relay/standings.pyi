def signal_key(name: str) -> int:
    """What tells a signal in the mapping, by its name."""
