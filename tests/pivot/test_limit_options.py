import click
from click.testing import CliRunner

from speeddata.pivot.limit_options import limit_options, limits_of
from speeddata.pivot.request import Limits


def limits(*arguments):
    told = []

    @click.command()
    @limit_options
    def command(**given):
        told.append(limits_of(given))

    result = CliRunner().invoke(command, arguments)
    return told[0] if told else result


def test_without_options_they_are_the_defaults():
    assert limits() == Limits()


def test_each_is_given():
    made = limits(
        "--limit-channels=3", "--limit-minutes=0.5", "--timeout=7", "--limit-running=2", "--limit-followers=0"
    )
    assert made == Limits(3, 0.5, 7.0, running=2, followers=0)


def test_what_is_no_limit_is_refused():
    for option in (
        "--limit-channels=0",
        "--limit-minutes=0",
        "--timeout=-1",
        "--limit-running=0",
        "--limit-followers=-1",
    ):
        refused = limits(option)
        assert refused.exit_code == 2
        assert option.partition("=")[0] in refused.output
