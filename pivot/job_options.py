"""The options of the command line that are about exports made in the background."""

from pathlib import Path
from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.pivot.jobs import JobLimits

__all__ = ["job_limits", "job_options"]

OPTIONS = (
    click.option(
        "--exports",
        "exports_folder",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the exports made in the background; without it, .exports in the archive.",
    ),
    click.option("--exports-channels", type=click.IntRange(1), default=JobLimits.channels, show_default=True,
                 help="Channels of an export made in the background."),
    click.option("--exports-minutes", type=click.FloatRange(0, min_open=True), default=JobLimits.minutes,
                 show_default=True, help="Length of an export made in the background."),
    click.option("--exports-running", type=click.IntRange(1), default=JobLimits.running, show_default=True,
                 help="Exports made in the background at a time."),
    click.option("--exports-queued", type=click.IntRange(1), default=JobLimits.queued, show_default=True,
                 help="Exports that wait or are made in the background."),
    click.option("--exports-keep", type=click.FloatRange(0, min_open=True), default=JobLimits.keep_s,
                 show_default=True, help="Seconds that they are kept for."),
    click.option("--exports-bytes", type=click.IntRange(1), default=JobLimits.max_bytes, show_default=True,
                 help="Bytes of all that are kept."),
    click.option("--min-free", type=click.FloatRange(0, 100), default=0.0, show_default=True,
                 help="Percent of the disk below which no export is written."),
)  # fmt: skip


job_options = with_options(OPTIONS)


def job_limits(given: dict[str, Any]) -> JobLimits:
    """What the options say."""
    return JobLimits(
        channels=given["exports_channels"],
        minutes=given["exports_minutes"],
        running=given["exports_running"],
        queued=given["exports_queued"],
        keep_s=given["exports_keep"],
        max_bytes=given["exports_bytes"],
        min_free_percent=given["min_free"],
    )
