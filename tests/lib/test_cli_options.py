import click
from click.testing import CliRunner

from speeddata.cli_options import with_options


def test_a_command_has_the_options_in_their_order():
    group = with_options([click.option("--zulu", default="z"), click.option("--alpha", type=int, default=1)])

    @click.command()
    @group
    def command(**given):
        click.echo(sorted(given.items()))

    run = CliRunner().invoke
    assert run(command, ["--alpha", "2"]).output == "[('alpha', 2), ('zulu', 'z')]\n"
    told = run(command, ["--help"]).output
    assert told.index("--zulu") < told.index("--alpha")
