"""Example programs, to be copied: data, not modules."""
