import click
import pytest
from click.testing import CliRunner

from speeddata.pivot.sql_options import sql_limits, sql_options
from speeddata.pivot.sql_request import SqlLimits


def limits(*options):
    found = []

    @click.command()
    @sql_options
    def command(**given):
        found.append(sql_limits(given))

    return CliRunner().invoke(command, options).exit_code, found


def test_limits():
    assert limits() == (0, [SqlLimits()])
    assert limits("--sql-timeout", "2.5", "--sql-memory", "128") == (
        0,
        [SqlLimits(timeout_s=2.5, memory_mb=128)],
    )


@pytest.mark.parametrize("options", [("--sql-timeout", "0"), ("--sql-memory", "5"), ("--sql-memory", "x")])
def test_what_cannot_be(options):
    assert limits(*options)[0] == 2
