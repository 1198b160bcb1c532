"""The options of the command line that limit what is asked of the service at once."""

from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.pivot.request import Limits

__all__ = ["limit_options", "limits_of"]

OPTIONS = (
    click.option("--limit-channels", type=click.IntRange(1), default=20, show_default=True,
                 help="Channels of an export."),
    click.option("--limit-minutes", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True,
                 help="Length of an export."),
    click.option("--timeout", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True,
                 help="Seconds that making an export may take."),
    click.option("--limit-running", type=click.IntRange(1), default=Limits.running, show_default=True,
                 help="Exports at a time."),
    click.option("--limit-followers", type=click.IntRange(0), default=Limits.followers, show_default=True,
                 help="Followers at a time."),
)  # fmt: skip


limit_options = with_options(OPTIONS)


def limits_of(given: dict[str, Any]) -> Limits:
    """What the options say."""
    return Limits(
        given["limit_channels"],
        given["limit_minutes"],
        given["timeout"],
        running=given["limit_running"],
        followers=given["limit_followers"],
    )
