"""The same year in DuckDB, the fastest of the rivals that can be installed here: CSV to Parquet, and queries on that."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

HOURLY = """SELECT time_bucket(INTERVAL 1 hour, time) AS bucket, avg(value), min(value), max(value)
FROM '{file}' GROUP BY bucket ORDER BY bucket"""
DAY = "SELECT * FROM '{file}' WHERE time >= TIMESTAMP '2021-08-09' AND time < TIMESTAMP '2021-08-10'"


def median_ms(work: Callable[[], object], rounds: int = 5) -> float:
    """Median milliseconds of some rounds, after one that does not count."""
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times[1:])


def load(csv: Path, parquet: Path) -> float:
    """Seconds to bring a CSV file with the columns `timestamp` and `value` into a Parquet file, without durability."""
    begun = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT timestamp::TIMESTAMP AS time, value FROM read_csv('{csv}')) TO '{parquet}' (CODEC zstd)"
        )
    return time.perf_counter() - begun


def hourly_ms(parquet: Path) -> float:
    """Milliseconds of the hourly mean, minimum and maximum of the year."""
    with duckdb.connect() as connection:
        return median_ms(lambda: connection.execute(HOURLY.format(file=parquet)).fetch_arrow_table())


def day_ms(parquet: Path) -> float:
    """Milliseconds of one day of raw rows, as Arrow."""
    with duckdb.connect() as connection:
        return median_ms(lambda: connection.execute(DAY.format(file=parquet)).fetch_arrow_table())
