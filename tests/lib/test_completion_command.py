"""`speeddata completion`."""

import os
import shutil
import subprocess

import pytest
from command import command
from system import SPEEDDATA

from speeddata.completion_command import VARIABLE

WORDS = {"bash": "complete -o nosort", "zsh": "compdef", "fish": "complete --no-files"}


@pytest.mark.parametrize("shell", WORDS)
def test_a_shell_is_told_how_to_complete(shell):
    done = command("completion", shell)
    assert done.returncode == 0
    assert WORDS[shell] in done.stdout
    assert VARIABLE in done.stdout


def test_commands_and_options_complete_as_bash_asks():
    environment = {**os.environ, "COMP_WORDS": "speeddata stat", "COMP_CWORD": "1", VARIABLE: "bash_complete"}
    done = subprocess.run(SPEEDDATA, env=environment, capture_output=True, text=True, timeout=30)
    assert done.stdout == "plain,status\n"


@pytest.mark.parametrize(("line", "option"), [("doctor --qu", "--quick"), ("bench relay --pa", "--pairs")])
def test_options_of_what_a_command_becomes_complete_too(line, option):
    asked = {
        "COMP_WORDS": f"speeddata {line}",
        "COMP_CWORD": str(line.count(" ") + 1),
        VARIABLE: "bash_complete",
    }
    done = subprocess.run(SPEEDDATA, env={**os.environ, **asked}, capture_output=True, text=True, timeout=30)
    assert done.stdout == f"plain,{option}\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_what_bash_is_told_is_bash():
    script = command("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True, timeout=30).returncode == 0
