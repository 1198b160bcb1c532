"""Protections of what comes by HTTP and by files, and of what is read: see removals.py."""

from removal import Removal

STORE = ("tests/relay/test_ingest_store.py",)
RECOVERY = ("tests/relay/test_ingest_recovery.py",)
JOURNAL = ("tests/relay/test_ingest_journal.py",)
SQL = ("tests/pivot/test_sql.py",)
BODY = ("tests/pivot/test_ingest_body.py", "tests/pivot/test_ingest_limits.py")
CACHE = ("tests/pivot/test_result_cache.py",)
ROLLUPS = ("tests/lib/test_rollup_channel.py",)

IN_HISTORY = [
    Removal(
        "a batch is archived once under its key",
        "relay/ingest_store.py",
        "            if self._repeated(key, content, reply):\n                return\n",
        "",
        STORE,
    ),
    Removal(
        "a key is for one batch",
        "relay/ingest_store.py",
        '        if done.hash != content:\n            raise Refusal(409, "this key was used for another batch", key=key)\n',
        "",
        STORE,
    ),
    Removal(
        "a batch that cannot be written whole is taken back",
        "relay/ingest_store.py",
        "        except OSError as error:\n            self._undo(batch)\n            raise _refusal_of",
        "        except OSError as error:\n            raise _refusal_of",
        STORE,
    ),
    Removal(
        "a segment is in the journal before anything is in it",
        "relay/ingest_store.py",
        "            self.journal.write()\n            self.journal.sync()  # when power fails, too, all that may be on the disk is known\n",
        "            pass\n",
        STORE,
    ),
    Removal(
        "what was not done is cut off at the start",
        "relay/ingest_recovery.py",
        "    cut = _cut(path, told.bytes)\n    _cut(index_path(path), HEAD_SIZE + told.entries * ENTRY_SIZE)\n",
        "    cut = 0\n",
        RECOVERY,
    ),
    Removal(
        "a segment that has taken the place of another is not cut",
        "relay/ingest_recovery.py",
        "    if head is not None and head.sync.hex() != told.sync:\n        return  # it has been sealed, or is another\n",
        "",
        RECOVERY,
    ),
    Removal(
        "what the journal could not write whole is struck out",
        "relay/ingest_journal.py",
        "            self._strike_out()  # the first records of it may be there, whole\n            raise\n",
        "            raise\n",
        JOURNAL,
    ),
    Removal(
        "a body is no larger than its limit",
        "pivot/ingest_body.py",
        "        if size > most:\n            raise too_large(most)\n",
        "",
        BODY,
    ),
    Removal(
        "a body does not trickle",
        "pivot/ingest_body.py",
        "        if late > 0 and size < late * limits.rate:\n",
        "        if False:\n",
        BODY,
    ),
    Removal(
        "a statement reaches no file",
        "pivot/sql_worker.py",
        '            "enable_external_access": "false",\n',
        "",
        ("tests/pivot/test_sql_worker.py", *SQL),
    ),
    Removal(
        "an answer that a late record has outdated is not given",
        "pivot/result_cache.py",
        "            if entry is not None and entry.token == token:\n",
        "            if entry is not None:\n",
        CACHE,
    ),
    Removal(
        "a rollup of another segment, or of a part, is not used",
        "lib/rollup_segments.py",
        "        if (rollup.sync, rollup.end) != (sync, end):\n",
        "        if False:\n",
        ROLLUPS,
    ),
    Removal(
        "a file that changes while it is imported is noticed",
        "lib/import_csv.py",
        "        if crc != facts.crc or sum(count for _, count, _ in made) != facts.rows:\n",
        "        if False:\n",
        ("tests/lib/test_import_csv.py",),
    ),
    Removal(
        "records of equal time are given once over two pages",
        "pivot/query_raw.py",
        "    if place is not None and place[0] == last:\n        given += place[1]\n",
        "",
        ("tests/pivot/test_query_raw.py",),
    ),
    Removal(
        "no text of CSV is a formula",
        "pivot/spreadsheet.py",
        '    return f"\'{text}" if text and text.startswith(BEGINNINGS) else text\n',
        "    return text\n",
        ("tests/pivot/test_spreadsheet.py",),
    ),
]
