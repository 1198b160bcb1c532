import click
import pytest
from click.testing import CliRunner

from speeddata.pivot.body_options import body_limits, body_options
from speeddata.pivot.ingest_body import BodyLimits


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ([], BodyLimits()),
        (["--ingest-bytes", "5000", "--ingest-text", "2000", "--ingest-requests", "3", "--ingest-held", "20000"],
         BodyLimits(bytes=5000, text=2000, requests=3, held=20000)),
        (["--ingest-bytes", "5000", "--ingest-text", "9000", "--ingest-held", "2000"],
         BodyLimits(bytes=5000, text=9000, held=18000)),
    ],
)  # fmt: skip
def test_options_make_limits(given, limits):
    found = []

    @click.command()
    @body_options
    def command(**options):
        found.append(body_limits(options))

    done = CliRunner().invoke(command, given)
    assert (done.exit_code, found) == (0, [limits])
