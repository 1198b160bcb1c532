"""duckdb_avro.py FILE: seconds that DuckDB takes for an Avro file, into numpy by one thread; median of three.

Its Avro reader is an extension that is published for version 1.5.5 alone, so this runs apart, with PYTHONPATH set to a folder
that has `duckdb==1.5.5` and `duckdb-extension-avro==1.5.5`.
"""

import statistics
import sys
import time
from pathlib import Path

import duckdb
import duckdb_extension_avro  # type: ignore[import-not-found,unused-ignore]


def main(file: str) -> None:
    (extension,) = Path(duckdb_extension_avro.__file__).parent.rglob("avro.duckdb_extension")
    times = []
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"LOAD '{extension}'")
        for _ in range(4):
            begun = time.perf_counter()
            connection.execute("SELECT * FROM read_avro(?)", [file]).fetchnumpy()
            times.append(time.perf_counter() - begun)
    print(statistics.median(times[1:]))


if __name__ == "__main__":
    main(sys.argv[1])
