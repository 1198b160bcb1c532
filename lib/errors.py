"""Exceptions of SpeedData.

* `SpeedDataError`
    * `SchemaError` (also `ValueError`): a schema that no channel can have; names the field
    * `RecordError` (also `ValueError`): bytes that are not records of the schema; names the reason
    * `ConfigError` (also `ValueError`): settings that cannot be used; holds every problem found
    * `TimeError` (also `ValueError`): a time or duration that cannot be read
    * `ArchiveError` (also `OSError`): a segment or index that cannot be read
    * `FormatError` (also `OSError` and `ValueError`): a file that does not hold what is wanted of it, or cannot hold it
    * `RelayError`: a relay or its keeper could not do what was asked; `NoKeeper` when there is no keeper to ask
    * `TokenError`: a token or key, or a file of them, that cannot be used
"""


class SpeedDataError(Exception):
    """Base of all exceptions that SpeedData raises on purpose."""


class SchemaError(SpeedDataError, ValueError):
    """A schema that no channel can have."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(f"field {field!r}: {message}" if field else message)


class RecordError(SpeedDataError, ValueError):
    """Bytes that are not whole records of the schema, or values that it cannot hold."""

    def __init__(self, message: str, reason: str = "") -> None:
        self.reason = reason
        super().__init__(message)


class ConfigError(SpeedDataError, ValueError):
    """Settings that cannot be used: all problems of all files, one a line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class TimeError(SpeedDataError, ValueError):
    """A time or duration that cannot be read."""


class ArchiveError(SpeedDataError, OSError):
    """A segment or its index that cannot be read."""


class FormatError(SpeedDataError, OSError, ValueError):
    """A file that does not hold what is wanted of it, or cannot hold what is to be written."""


class RelayError(SpeedDataError):
    """A relay or its keeper could not do what was asked."""


class TokenError(SpeedDataError):
    """A token or key, or a file of them, that cannot be used."""


class NoRelay(RelayError):
    """There is no relay that could be asked; soon there is another."""


class NoKeeper(RelayError):
    """There is no keeper that could be asked; soon there is another."""
