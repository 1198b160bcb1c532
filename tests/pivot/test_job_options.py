import json

import click
from click.testing import CliRunner

from speeddata.pivot.job_options import job_limits, job_options
from speeddata.pivot.jobs import JobLimits


@click.command()
@job_options
def command(**given):
    limits = job_limits(given)
    click.echo(json.dumps([vars(limits), str(given["exports_folder"])]))


def test_what_is_not_given_is_the_default():
    limits, folder = json.loads(CliRunner().invoke(command).output)
    assert (JobLimits(**limits), folder) == (JobLimits(), "None")


def test_each_limit_is_an_option():
    options = ("--exports x --exports-channels 2 --exports-minutes 3.5 --exports-running 4 --exports-queued 5 "
               "--exports-keep 6 --exports-bytes 7 --min-free 8")  # fmt: skip
    limits, folder = json.loads(CliRunner().invoke(command, options.split()).output)
    assert (JobLimits(**limits), folder) == (JobLimits(2, 3.5, 4, 5, 6.0, 7, 8.0), "x")
