"""`speeddata reload`: have a running system go over to settings that have changed, and say what became of each."""

import json
import sys

import click

from speeddata.archive_commands import printing
from speeddata.exit_codes import DONE, FAILED, epilog
from speeddata.reload_words import reload_lines
from speeddata.server_options import server_options

__all__ = ["reload"]


@click.command(
    epilog=epilog(failed="failed: the settings are wrong, or a channel did not go over to its own")
)
@server_options
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def reload(url: str, as_json: bool) -> None:
    """Go over to settings that have changed; nothing else is touched, and no packet is lost."""
    from speeddata.server import Server

    outcome = Server(url).ask("POST", "/reload")
    with printing():
        if as_json:
            print(json.dumps(outcome))
        else:
            for line in reload_lines(outcome):
                print(line)
    sys.exit(FAILED if outcome["failed"] else DONE)
