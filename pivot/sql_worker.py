"""The process that runs one statement of SQL over the archive, and ends. It reads; it cannot write, nor reach a file.

`python -P -m speeddata.pivot.sql_worker FD`: the request is a line of JSON on standard input, the answer goes to the open
file FD, what became of it to standard output as JSON. When standard input ends, whoever asked has gone, and it ends at once.
"""

import errno
import json
import os
import re
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["HEADROOM_MB", "main", "run"]

HEADROOM_MB = (
    2048  # of addresses, beyond what a statement may use: libraries, stacks of threads, Arrow's buffers
)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAX_ERROR = 4000  # characters
NAME = re.compile(r'"(?:[^"]|"")*"|[^\W\d]\w*')
SHOW_TABLES = re.compile(r"\s*SHOW\s+(?:ALL\s+)?TABLES\s*;?\s*", re.IGNORECASE)
NO_MEMORY = re.compile(r"Out of Memory|MemoryError|bad_alloc|malloc of size|realloc of size", re.IGNORECASE)
UNKNOWN = re.compile(r'Table with name (.*) does not exist!(?:\nDid you mean "[^"\n]*"\?)?')
READING = ("SELECT", "EXPLAIN")


def main() -> None:
    """Serve one request."""
    result = os.fdopen(int(sys.argv[1]), "wb")
    # Importing takes most of the time of a small query; whoever keeps a process ready has that done before.
    import duckdb  # noqa: F401

    import speeddata.pivot.sql_results
    import speeddata.pivot.sql_tables  # noqa: F401
    from speeddata.pivot.heap import give_way

    give_way(1000)  # of all processes, take this one

    line = sys.stdin.buffer.readline()
    if not line:
        return
    print(flush=True)  # it is taken: whoever asked does not give it to another one
    request = json.loads(line)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _limit(request)
    try:
        told = run(request, result)
        result.close()
    except MemoryError:
        told = _too_much(request["memory_mb"])
    except BaseException:  # ending as usual would wait for the thread, and abort
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _limit(request: dict[str, Any]) -> None:
    addresses = (request["memory_mb"] + HEADROOM_MB) << 20
    resource.setrlimit(resource.RLIMIT_AS, (addresses, addresses))
    size = request["max_bytes"] + (1 << 20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(int(request["timeout"]) + 5)  # should nobody be there any more to end it


def run(request: dict[str, Any], result: Any) -> dict[str, Any]:
    """Run a statement; what it gives is written to `result`, the rest is told."""
    import duckdb

    from speeddata.errors import FormatError
    from speeddata.pivot.sql_results import Failed, TooLarge, write

    sql, tables = request["sql"], _Tables(Path(request["archive"]))
    if SHOW_TABLES.fullmatch(sql):
        sql = "SELECT name FROM channels"
    try:
        with _connect(request) as connection:
            _require_reading(connection, sql)
            for name in tables.named_in(sql):
                connection.register(name, tables.open(name))
            answer = connection.execute(sql)
            types = [str(column[1]) for column in answer.description or ()]
            batches = answer.to_arrow_reader(1 << 16)
            size = request["max_bytes"]
            rows, truncated = write(batches, types, request["format"], result, request["limit"], size)
    except (duckdb.OutOfMemoryException, MemoryError):
        return _too_much(request["memory_mb"])
    except TooLarge:
        return _refused(413, f"The answer is larger than {request['max_bytes'] >> 20} MB: aggregate, name fewer "
                        "columns, narrow the time, or give a limit")  # fmt: skip
    except FormatError as error:
        return _refused(400, str(error))
    except (duckdb.Error, Failed) as error:
        if NO_MEMORY.search(str(error)):
            return _too_much(request["memory_mb"])
        return _refused(400, tables.suggested(_words(error)) + tables.hint(sql))
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return _refused(507, "No room for the answer on the service's disk, ask for less at once")
    records = sum(table.records_read for table in tables.opened.values())
    damages = sum(table.damages for table in tables.opened.values())
    return {"rows": rows, "truncated": truncated, "records_read": records, "damages": damages}


class _Tables:
    """The channels as tables, opened when they are named."""

    def __init__(self, folder: Path) -> None:
        from speeddata.pivot.sql_tables import channel_names

        self._folder = folder
        self._names = channel_names(folder)
        self.opened: dict[str, Any] = {}

    def named_in(self, sql: str) -> Iterator[str]:
        """The channels that have the name of something in a statement. SQL does not tell upper from lower case."""
        words = dict.fromkeys(_unquoted(found[0]) for found in NAME.finditer(sql))
        lower = {word.lower(): word for word in words}
        known: dict[str, str] = {}
        for name in self._names:
            if name.lower() in lower and (name.lower() not in known or name in words):
                known[name.lower()] = name
        yield from known.values()
        if "channels" in lower and "channels" not in known:
            yield "channels"

    def open(self, name: str) -> Any:
        import pyarrow as pa

        from speeddata.archive import Archive
        from speeddata.pivot.sql_tables import ChannelTable

        if name not in self._names:
            return pa.table({"name": pa.array(self._names, pa.string())})
        self.opened[name] = ChannelTable(Archive(self._folder / name))
        return self.opened[name]

    def suggested(self, error: str) -> str:
        """The words of an error; where no such table is known, with a channel in place of one of DuckDB's own tables."""
        unknown = UNKNOWN.search(error)
        if unknown is None:
            return error
        from speeddata.channel_names import nearest

        near = nearest(unknown[1], [*self._names, "channels"])
        words = f"Table with name {unknown[1]} does not exist{near}\nSHOW TABLES lists the channels"
        return error.replace(unknown[0], words)

    def hint(self, sql: str) -> str:
        """What may help where a name needs quotes and has none."""
        bare = [
            name
            for name in self._names
            if not NAME.fullmatch(name) and name in sql and f'"{name}"' not in sql
        ]
        return f'\nThe name of channel {bare[0]} needs quotes: "{bare[0]}"' if bare else ""


def _unquoted(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word


def _connect(request: dict[str, Any]) -> Any:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "memory_limit": f"{request['memory_mb']}MB",
            "threads": str(request["threads"]),
        },
    )
    connection.execute("SET TimeZone = $zone", {"zone": request["time_zone"]})
    connection.execute("SET lock_configuration = true")
    return connection


def _require_reading(connection: Any, sql: str) -> None:
    import duckdb

    kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in READING:
        found = ", ".join(kinds) or "none"
        raise duckdb.InvalidInputException(f"wanted one statement that reads (SELECT ...), got {found}")


def _words(error: Exception) -> str:
    return str(error).partition("\n\nStack Trace")[0].strip()[:MAX_ERROR]


def _too_much(memory_mb: int) -> dict[str, Any]:
    words = f"The query needs more than the {memory_mb} MB of memory it may use: narrow the time, or aggregate more"
    return _refused(413, words)


def _refused(status: int, error: str) -> dict[str, Any]:
    return {"status": status, "error": error}


if __name__ == "__main__":
    main()
