"""Whether records of one schema can be read by another, by the rules of schema resolution in Avro's specification."""

import json
from typing import Any

__all__ = ["incompatibilities"]

MOST = 20  # reasons that are told


def incompatibilities(reader: dict[str, Any], writer: dict[str, Any]) -> list[str]:
    """Why records of `writer` cannot be read by `reader`: where in the schema, and what; none if they can."""
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
    from avro.schema import parse

    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    found = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if found.compatibility is SchemaCompatibilityType.compatible:
        return []
    places = sorted(found.locations) or [""]
    words = sorted(found.messages) or [str(one) for one in found.incompatibilities]
    return [f"{word} ({', '.join(places)})" if places[0] else word for word in words][:MOST]
