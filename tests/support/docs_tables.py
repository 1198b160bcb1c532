"""What tests need to know of single blocks of the documents: those they cannot run, those that go on for ever, what they say.

A row is of the block, or the line, of its page that begins so; tests hold that there is exactly one.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Elsewhere(NamedTuple):
    """A block that is not run as it is written."""

    page: str
    begins: str
    why: str
    shown_by: str  # the test that runs what is behind it


class Endless(NamedTuple):
    """A line, or a whole program in Python, that goes on until Ctrl-C."""

    page: str
    begins: str
    prints: str  # pattern that it must print first
    statuses: Iterable[int] = (0,)


class Prints(NamedTuple):
    """What a block must print."""

    page: str
    begins: str
    pattern: str


ELSEWHERE = (
    Elsewhere("README.md", "make run", "has its demo's own ports", "tests/test_readme.py"),
    Elsewhere("README.md", "make test", "runs this test", "tests/test_docs_blocks.py"),
    Elsewhere("docs/command-line.md", "speeddata status --token-file", "wants a system that asks for tokens",
              "tests/test_commands.py"),
    Elsewhere("docs/command-line.md", "# on 192.0.2.1", "two machines", "tests/test_two_hosts.py"),
    Elsewhere("docs/configuration.md", "for host in gpu1", "other machines", "tests/lib/test_config_deploy.py"),
    Elsewhere("docs/docker.md", "docker compose up", "needs an engine", "tests/test_docker.py"),
    Elsewhere("docs/docker.md", "printf 'net.core", "the kernel's settings", "tests/relay/test_doctor_kernel.py"),
    Elsewhere("docs/doctor.md", "speeddata doctor   ", "half a minute, and status 1 where it finds something",
              "tests/relay/test_doctor.py"),
    Elsewhere("docs/import.md", "speeddata import FILE...", "a form, no command", "tests/lib/test_import_command.py"),
    Elsewhere("docs/import.md", "speeddata import --dry-run", "a file of somebody else's",
              "tests/lib/test_import_report.py"),
    Elsewhere("docs/install.md", "apt-get update", "installs and compiles for minutes", "tests/proof/proof_dist.py"),
    Elsewhere("docs/install.md", "make dist", "compiles for minutes", "tests/test_dist.py"),
    Elsewhere("docs/install.md", "speeddata service install --now", "needs systemd as process 1",
              "tests/proof/proof_service.py"),
    Elsewhere("docs/install.md", "speeddata service uninstall --now", "needs systemd as process 1",
              "tests/proof/proof_service.py"),
    Elsewhere("docs/library.md", ".venv/bin/python -m pip", "installs JupyterLab and opens it",
              "tests/test_notebooks.py"),
    Elsewhere("docs/operating.md", "/opt/speeddata/bin/python -m pip", "needs systemd as process 1",
              "tests/proof/proof_service.py"),
    Elsewhere("docs/raspberry-pi.md", "apt-get install qemu", "compiles for another processor",
              "tests/proof/proof_arm64.py"),
    Elsewhere("docs/raspberry-pi.md", "apt-get install -y", "installs on a Pi", "tests/proof/proof_service.py"),
    Elsewhere("docs/troubleshooting.md", "speeddata stop", "ends what the other pages need",
              "tests/test_registry_damage.py"),
    Elsewhere("docs/operating.md", "speeddata run --host 192.168.1.10", "an address of another machine",
              "tests/test_two_hosts.py"),
    Elsewhere("docs/proofs.md", "PROOF_STATE=", "takes hours", "tests/proof/proof_kill.py"),
    Elsewhere("docs/throughput.md", "speeddata bench relay", "takes half an hour", "tests/relay/test_bench.py"),
)  # fmt: skip

INTERRUPTED = (-2, 130)  # what ends by the signal
ENDLESS = (
    Endless("docs/command-line.md", "speeddata status --watch", r"^example +\d+ "),
    Endless("docs/command-line.md", "speeddata tail engine.speed", r"engine\.speed .*\d"),
    Endless("docs/command-line.md", "speeddata tail engine --json", r"^\d", INTERRUPTED),
    Endless("docs/configuration.md", "speeddata run --config", "http://"),
    Endless("docs/operating.md", "speeddata run --data data", "http://"),
    Endless("docs/following.md", "curl -sS -N", r'"live":true', INTERRUPTED),
    Endless("docs/following.md", "import asyncio", r"^\d+ records, the last .* live$"),
)

PRINTS = (
    Prints("README.md", "from speeddata import read_hdf5", r"1/min"),
    Prints("README.md", "from speeddata import read_hdf5", r"3499\.9|3500\.0"),
    Prints("README.md", "from pathlib import Path", r"\b500 records"),
    Prints("README.md", 'curl -sS --fail-with-body "http://localhost:8000/api/v1/query', r'"speed\.max"'),
    Prints("README.md", 'curl -sS --fail-with-body "http://localhost:8000/api/v1/query', r"│ +500 │"),
    Prints("README.md", 'curl -sS --fail-with-body "http://localhost:8000/api/v1/ingest', r'"ingested": ?2'),
    Prints(
        "docs/command-line.md", "speeddata export --tag", r"(?m)(^\S+: [\d,]+ records, [\d,]+ bytes$\s+){3}"
    ),
    Prints("docs/ingest.md", "curl", r'"created":\["gearbox"\]'),
    Prints("docs/library.md", "import speeddata\n", "grid: 1 signal, not fetched yet"),
    Prints("docs/library.md", "from speeddata import RegistryError", r"400 decimation\.rate_hz"),
    Prints("docs/operating.md", "mkdir -m 750 data", r"[1-9]\d* records, \d+ bytes: whole"),
    Prints("docs/query.md", "curl", r'"count":5,"time":\["2021-04-30T22:00:00Z"'),
    Prints("docs/sql.md", "speeddata sql", "2021-05-01T23:00:00Z"),
)

# What a page presumes, by commands that the documents have too: run before its first block.
PRESUMED = {
    "docs/alarms.md": "speeddata register machine --schema machine.avsc --port 26020",
    "docs/archive-format.md": "cp $(ls data/archive/engine/engine_*.avro | head -1) example_20261122T143000.000000Z.avro",
    "docs/command-line.md": """
        speeddata register example --schema /etc/speeddata/agents/example.avsc --port 26000
        speeddata send example --test --count 20 --rate 100
        speeddata deregister --yes engine
        mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc ~/.config/fish/completions""",
    # The registry's copy is laid some seconds after a change.
    "docs/operating.md": "until [ -e data/registry.db.bak ]; do sleep 0.1; done",
    "docs/rest.md": """
        speeddata deregister --yes example engine
        speeddata register engine --schema engine.avsc --port 26010 --set framing=single_object""",
}
