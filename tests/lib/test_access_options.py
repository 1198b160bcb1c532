from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from speeddata.access_options import access_argv, access_of, access_options


@click.command()
@click.option("--host", default="127.0.0.1")
@access_options
def command(host: str, tokens: Path | None, own_token: Path | None) -> None:
    click.echo(access_of(host, tokens, own_token).required)
    click.echo(access_argv(tokens, own_token))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_on_loopback_nobody_need_be_asked(host: str) -> None:
    assert CliRunner().invoke(command, ["--host", host]).output == "False\n[]\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_elsewhere_a_service_does_not_start_without_tokens(host: str, tmp_path: Path) -> None:
    refused = CliRunner().invoke(command, ["--host", host])
    assert refused.exit_code == 2
    assert f"--host is {host}, wanted a loopback address, or --tokens" in refused.output
    options = ["--tokens", str(tmp_path / "t"), "--own-token", str(tmp_path / "o")]
    done = CliRunner().invoke(command, ["--host", host, *options])
    assert done.output == f"True\n{options}\n"
