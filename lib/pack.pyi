from speeddata.errors import RecordError

def unexpected(path: str, expected: str, value: object) -> RecordError:
    """Make the error for a value that its field cannot hold."""
