"""The options of the command line that are about queries."""

from typing import Any

import click

from speeddata.cli_options import with_options
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.query import ROLLUP_BYTES, Engine
from speeddata.pivot.query_service import CACHE_BYTES, QueryLimits, QueryService
from speeddata.pivot.query_words import Limits

__all__ = ["make_queries", "query_options"]

OPTIONS = (
    click.option("--limit-points", type=click.IntRange(1), default=Limits.points, show_default=True,
                 help="Values in the answer to a query."),
    click.option("--queries-running", type=click.IntRange(1), default=QueryLimits.running, show_default=True,
                 help="Queries answered at a time."),
    click.option("--result-cache", type=click.IntRange(0), default=CACHE_BYTES, show_default=True,
                 help="Bytes of finished answers that are kept."),
    click.option("--rollup-cache", type=click.IntRange(0), default=ROLLUP_BYTES, show_default=True,
                 help="Bytes of rollups that are kept."),
)  # fmt: skip


query_options = with_options(OPTIONS)


def make_queries(catalogue: Catalogue, timeout_s: float, given: dict[str, Any]) -> QueryService:
    """What answers queries as the options say."""
    engine = Engine(catalogue, Limits(points=given["limit_points"]), given["rollup_cache"])
    return QueryService(
        engine, QueryLimits(timeout_s=timeout_s, running=given["queries_running"]), given["result_cache"]
    )
