"""`speeddata completion`: what a shell is to run so that it completes commands, options and names of channels."""

import click
from click.shell_completion import get_completion_class

from speeddata.exit_codes import epilog

__all__ = ["VARIABLE", "completion"]

VARIABLE = "_SPEEDDATA_COMPLETE"  # click asks by it


@click.command(epilog=epilog())
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, and the names of the running system's channels.

    \b
    bash: speeddata completion bash > ~/.local/share/bash-completion/completions/speeddata
    zsh:  speeddata completion zsh > ~/.zfunc/_speeddata   (with fpath+=~/.zfunc before compinit)
    fish: speeddata completion fish > ~/.config/fish/completions/speeddata.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click has all three"
    click.echo(kind(context.find_root().command, {}, "speeddata", VARIABLE).source())
