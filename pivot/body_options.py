"""The options of the command line that are about the bodies of ingest."""

from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.pivot.ingest_body import BodyLimits

__all__ = ["body_limits", "body_options"]

OPTIONS = (
    click.option("--ingest-bytes", type=click.IntRange(1024), default=BodyLimits.bytes, show_default=True,
                 help="Bytes of an ingest body, as it is sent and as it is unpacked."),
    click.option("--ingest-text", type=click.IntRange(1024), default=BodyLimits.text, show_default=True,
                 help="The same of JSON and CSV."),
    click.option("--ingest-requests", type=click.IntRange(1), default=BodyLimits.requests, show_default=True,
                 help="Ingest requests at a time."),
    click.option("--ingest-held", type=click.IntRange(1024), default=BodyLimits.held, show_default=True,
                 help="Bytes of their bodies, at a time."),
)  # fmt: skip


body_options = with_options(OPTIONS)


def body_limits(given: dict[str, Any]) -> BodyLimits:
    """What the options say; a single body may always be held, as it is sent and as it is unpacked."""
    most, text = given["ingest_bytes"], given["ingest_text"]
    held = max(given["ingest_held"], 2 * most, 2 * text)
    return BodyLimits(bytes=most, text=text, requests=given["ingest_requests"], held=held)
