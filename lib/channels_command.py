"""`speeddata channels`: those that are registered, or all about one of them."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from speeddata.archive_commands import printing, shown
from speeddata.channel_names import complete_channels
from speeddata.counted import counted
from speeddata.exit_codes import epilog
from speeddata.server_options import server_options
from speeddata.text_table import print_table

if TYPE_CHECKING:
    from speeddata.schema import Schema

__all__ = ["channels"]

STATES = ("registered", "starting", "active", "idle", "degraded", "backoff", "failed", "stopped", "ingest")


@click.command(epilog=epilog(failed="failed, or there is no such channel"))
@click.argument("name", required=False, shell_complete=complete_channels)
@click.option(
    "--status",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    help="Those of this state (may be repeated); registered: no relay lives, active: one does.",
)
@server_options
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON.")
def channels(name: str | None, states: tuple[str, ...], url: str, as_json: bool) -> None:
    """List the channels, or tell all about one: signals, units, addresses, counters, who sends."""
    from speeddata.server import Server

    if name and states:
        raise click.UsageError("give either NAME or --status")
    server = Server(url)
    with printing():
        if name:
            tell_one(server.channel(name), server.schema(name), as_json)
        else:
            found = [one for one in server.channels() if not states or matches(one, states)]
            tell_all(found, as_json)


def matches(channel: Mapping[str, Any], states: Iterable[str]) -> bool:
    """Whether a channel is of one of these: states, or SpeedData 0.6's two words."""
    return any(word in (channel["status"], channel["state"]) for word in states)


def tell_all(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"channels": found}))
        return
    columns = ("channel", "port", "state", "reason", "records", "framing", "time", "schema")
    rows = []
    for one in sorted(found, key=lambda one: str(one["name"])):
        count = sum(int((one.get(key) or {}).get("records") or 0) for key in ("stats", "ingested"))
        rows.append((one["name"], one["port"] or "-", one["state"], one["reason"] or "", f"{count:,}",
                     one["framing"], one["time_unit"] or "-", one["schema"]))  # fmt: skip
    print_table(columns, rows, right=("port", "records"))
    click.echo(counted(len(found), "channel"), err=True)


def tell_one(channel: dict[str, Any], schema: "Schema", as_json: bool) -> None:
    found = signals_of(schema)
    if as_json:
        print(json.dumps({**channel, "signals": found, "definition": json.loads(schema.text)}))
        return
    from speeddata.channel_text import channel_lines, limits_text, mapping_lines, time_text

    now_ns = time.time_ns()
    print("\n".join(channel_lines(channel, now_ns)))
    print(f"\nsignals of {shown(schema.name)}:")
    rows = [(one["name"], one["type"], one["unit"] or "", one["role"] or "", "null" if one["nullable"] else "",
             limits_text(one["limits"])) for one in found]  # fmt: skip
    print_table(("signal", "type", "unit", "role", "or", "limits"), rows)
    for key, what in (("stats", "counters"), ("ingested", "what came by HTTP")):
        if channel.get(key):
            print(f"\n{what}:")
            print("\n".join(mapping_lines("  ", channel[key], now_ns)))
    if channel.get("sources"):
        print("\nsources:")
        columns = tuple(channel["sources"][0])
        senders = [[time_text(str(one[name]), now_ns) for name in columns] for one in channel["sources"]]
        print_table(columns, senders)


def signals_of(schema: "Schema") -> list[dict[str, Any]]:
    """The signals of a schema, as JSON has them."""
    roles = {schema.time: "time", schema.sequence: "sequence"}
    return [
        {
            "name": one.name,
            "type": one.type,
            "nullable": one.nullable,
            "unit": one.unit,
            "role": roles.get(one.name),
            "limits": one.limits and asdict(one.limits),
        }
        for one in schema.signals
    ]
