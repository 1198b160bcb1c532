import click
import pytest
from click.testing import CliRunner

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.query_options import make_queries, query_options


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], (1_000_000, 64 << 20, 256 << 20)),
        (["--limit-points", "5", "--result-cache", "0", "--rollup-cache", "7"], (5, 0, 7)),
    ],
)
def test_what_the_options_say(tmp_path, options, wanted):
    made = []

    @click.command()
    @query_options
    def command(**given):
        made.append(make_queries(Catalogue(tmp_path, None), 3.0, given))

    result = CliRunner().invoke(command, options)
    assert result.exit_code == 0, result.output
    (service,) = made
    assert (service.engine.limits.points, service.cache.limit, service.engine.memory.limit) == wanted
    assert service.limits.timeout_s == 3.0
    service.close()
