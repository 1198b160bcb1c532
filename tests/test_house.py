"""The house: what imports what, how long things are, that each module has its tests."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"lib": "speeddata", "relay": "speeddata.relay", "registry": "speeddata.registry",
           "stripchart": "speeddata.stripchart", "pivot": "speeddata.pivot"}  # fmt: skip
SERVICES = set(FOLDERS.values()) - {"speeddata"}
# The orchestrator embeds the registry; nothing else crosses.
CROSSINGS = {("speeddata.relay", "speeddata.registry")}
MAX_FILE = 400
MAX_FUNCTION = 50
# Modules with no test file of their own, and the one that shows them.
SHOWN_BY = {
    "registry/rest_docs.py": "registry/test_document.py",
    "lib/kernel_buffers.py": "lib/test_service_unit.py",
    "lib/hdf5_about.py": "lib/test_hdf5_table.py",
    "lib/hdf5_filters.py": "lib/test_hdf5_table.py",
    "pivot/export_arrow.py": "pivot/test_export_formats.py",
    "pivot/export_column.py": "pivot/test_export_formats.py",
    "pivot/export_request.py": "pivot/test_routes_export.py",
    "pivot/export_stream.py": "pivot/test_export_formats.py",
    "pivot/export_zip.py": "pivot/test_export_formats.py",
    "pivot/format_arrow.py": "pivot/test_export_formats.py",
    "pivot/format_avro.py": "pivot/test_export_formats.py",
    "pivot/format_csv.py": "pivot/test_export_text.py",
    "pivot/format_hdf5.py": "pivot/test_export_formats.py",
    "pivot/format_jsonl.py": "pivot/test_export_text.py",
    "pivot/format_parquet.py": "pivot/test_export_formats.py",
    "pivot/reducers.py": "pivot/test_decimate.py",
    "lib/rollup_blocks.py": "lib/test_rollup_channel.py",
    "lib/rollup_parts.py": "lib/test_rollup_channel.py",
    "lib/json_slot.pyx": "lib/test_rows_json.py",
    "pivot/ingest_docs.py": "pivot/test_routes_ingest.py",
    "pivot/query_buckets.py": "pivot/test_query.py",
    "pivot/query_words.py": "pivot/test_query.py",
    "lib/csv_layout.py": "lib/test_csv_scan.py",
    "lib/csv_line.py": "lib/test_csv_check.py",
    "lib/import_avro.py": "lib/test_import_tables.py",
    "lib/import_files.py": "lib/test_import_tables.py",
    "lib/import_hdf5.py": "lib/test_import_tables.py",
    "lib/import_notes.py": "lib/test_import_csv.py",
    "lib/import_options.py": "lib/test_import_settings.py",
    "lib/import_parquet.py": "lib/test_import_tables.py",
    "lib/import_work.py": "lib/test_import_command.py",
    "lib/channels_command.py": "test_commands.py",
    "lib/reload_command.py": "test_commands.py",
    "lib/register_command.py": "test_commands.py",
    "lib/replay_command.py": "test_commands.py",
    "lib/send_command.py": "test_commands.py",
    "lib/server.py": "test_commands.py",
    "lib/server_options.py": "test_commands.py",
    "lib/status_command.py": "test_commands.py",
    "lib/tag_command.py": "test_commands.py",
    "lib/tail_command.py": "test_commands.py",
    "relay/aside.pxd": "relay/test_receiver.py",
    "relay/channel.py": "relay/test_cli.py",
    "relay/charge.py": "relay/test_keeper.py",
    "relay/client.py": "relay/test_keeper.py",
    "relay/container.pyx": "relay/test_writer.py",
    "relay/intake.pyx": "relay/test_receiver.py",
    "registry/alarm.py": "registry/test_alarms.py",
    "registry/launcher.py": "registry/test_channels.py",
    "relay/ethtool.py": "relay/test_doctor_cards.py",
    "relay/interfaces.py": "relay/test_doctor_multicast.py",
    "relay/readiness.py": "registry/test_routes_metrics.py",
    "relay/limit_check.pyx": "relay/test_limits.py",
    "relay/standings.pyx": "relay/test_limits.py",
    "relay/upkeep.py": "relay/test_stop.py",
    "relay/ring.pyx": "relay/test_receiver.py",
}

SOURCES = sorted(
    p for folder in FOLDERS for p in (ROOT / folder).glob("*.p*") if p.suffix in (".py", ".pyx", ".pxd")
)
PYTHON = [p for p in SOURCES if p.suffix == ".py"]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = sorted(
    p for folder in ("registry/pages", "stripchart/static") for p in (ROOT / folder).iterdir() if p.is_file()
)
# A function of Cython, whose head ends with a colon, perhaps some lines below.
CYTHON_HEAD = re.compile(r"( *)(?:cdef|cpdef|def) (?!class |extern |struct |enum |union )[^#\n]*\(")


def relative(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: relative import"
            yield node.module


def home(module):
    """The folder's package that a module belongs to."""
    found = [package for package in SERVICES if module == package or module.startswith(f"{package}.")]
    return found[0] if found else "speeddata" if module.partition(".")[0] == "speeddata" else None


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_dependencies_point_one_way(path):
    own = FOLDERS[path.parent.name]
    for module in imports(path):
        assert module.partition(".")[0] not in set(FOLDERS) | {"config", "tests"}, f"bare import of {module}"
        other = home(module)
        assert other in (None, "speeddata", own) or (own, other) in CROSSINGS, f"imports {module}"


def python_functions(text):
    """Name and length of each function."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def cython_functions(text):
    """Head and length of each function, by what is indented below it."""
    lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
    for start, line in enumerate(lines):
        if not (found := CYTHON_HEAD.match(line)):
            continue
        head = start
        while (whole := "".join(lines[start : head + 1])).count("(") > whole.count(")") and head < len(lines):
            head += 1
        if not whole.endswith(":"):
            continue  # declared here, defined elsewhere
        end = head
        for at, below in enumerate(lines[head + 1 :], head + 1):
            if below and not below.startswith(f"{found[1]} "):
                break
            end = at if below else end
        yield line.strip(), end - start + 1


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=relative)
def test_files_and_functions_are_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE
    for name, length in (python_functions if path.suffix == ".py" else cython_functions)(text):
        assert length <= MAX_FUNCTION, f"{name}: {length} lines"


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_what_pages_are_made_of_is_short(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE


def test_functions_of_cython_are_measured():
    text = """cdef int x = f(1)
cdef int declared(int a) except -1

cdef int f(int a,
           int (*b)(int)) except -1:  # why
    return a

    # a comment does not count

    def inner(self):
        pass

cdef struct S:
    int a
"""
    assert list(cython_functions(text)) == [("cdef int f(int a,", 8), ("def inner(self):", 2)]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_each_module_says_what_it_is(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert not lines or lines[0].startswith('"""')


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_each_module_has_its_tests(path):
    if path.suffix == ".pxd" or path.stem in ("__init__", "__main__"):
        return
    named = ROOT / "tests" / SHOWN_BY.get(relative(path), f"{path.parent.name}/test_{path.stem}.py")
    assert named.exists(), f"no {relative(named)}"


def run(code):
    return subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_keeper_and_relay_never_import_numpy():
    assert run("import sys, speeddata.relay.cli; print('numpy' in sys.modules)") == "False\n"


def test_importing_speeddata_is_light():
    assert (
        run("import sys; n = len(sys.modules); import speeddata; print(len(sys.modules) - n < 40)")
        == "True\n"
    )


def test_no_folder_is_importable_under_its_bare_name():
    for folder in FOLDERS:
        assert run(f"import importlib.util as u; print(u.find_spec('{folder}'))") == "None\n"


@pytest.mark.parametrize(
    "line",
    ["import pickle", "import marshal", "import shelve", "from pickle import loads", "numpy.load('x', allow_pickle=True)",
     "yaml.load('x', yaml.Loader)", "yaml.load('x', yaml.SafeLoader)", "yaml.full_load('x')", "yaml.unsafe_load('x')",
     "eval('x')", "exec('x')"],
)  # fmt: skip
def test_the_linter_lets_nothing_in_that_runs_what_it_reads(line):
    text = f"import numpy\nimport yaml\n\n\ndef f():\n    {line}\n    return numpy, yaml\n"
    lint = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--no-cache"]
    done = subprocess.run(
        [*lint, "--stdin-filename=lib/probe.py", "-"], input=text, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert "probe.py:6:" in done.stdout
