"""The options of the command line that are about SQL."""

from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.pivot.sql_request import SqlLimits

__all__ = ["sql_limits", "sql_options"]

OPTIONS = (
    click.option("--sql-timeout", type=click.FloatRange(0, min_open=True), default=SqlLimits.timeout_s,
                 show_default=True, help="Seconds that a statement of SQL may take."),
    click.option("--sql-memory", type=click.IntRange(64), default=SqlLimits.memory_mb, show_default=True,
                 help="Megabytes of memory that it may take."),
    click.option("--sql-running", type=click.IntRange(1), default=SqlLimits.running, show_default=True,
                 help="Statements that run at a time."),
)  # fmt: skip


sql_options = with_options(OPTIONS)


def sql_limits(given: dict[str, Any]) -> SqlLimits:
    """What the options say."""
    return SqlLimits(
        timeout_s=given["sql_timeout"], memory_mb=given["sql_memory"], running=given["sql_running"]
    )
