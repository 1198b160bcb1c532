"""`speeddata` commands in this process: starting one anew for each takes most of a short test's time."""

import subprocess
from typing import Any

from click.testing import CliRunner

from speeddata.cli import commands


def command(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `system.speeddata` does; options are those of CliRunner.invoke."""
    words = [str(one) for one in arguments]
    done = CliRunner().invoke(commands, words, prog_name="speeddata", **options)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
