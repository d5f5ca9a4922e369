"""``bsc-monitor sandbox``: the stand-in for the source systems, by itself."""

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(sandbox)


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes any free one.")] = 9880,
    servicenow_incidents: Annotated[
        Path | None, typer.Option(help="Serve this audit-event log of incidents (CSV, also .gz) as ServiceNow.")
    ] = None,
    servicenow_tables: Annotated[
        Path | None,
        typer.Option(help="Serve a folder of exported tables (incident.json, task_sla.csv, …) as ServiceNow."),
    ] = None,
    jira_issues: Annotated[
        Path | None,
        typer.Option(
            help="Serve exported issues (answers of a search as JSON, or Jira's CSV) as Jira: a file or folder."
        ),
    ] = None,
    focus_folder: Annotated[
        Path | None, typer.Option(help="Write the company's cloud bills as a FOCUS export into a folder of its own.")
    ] = None,
    requests_per_hour: Annotated[
        int | None,
        typer.Option(min=1, help="Answer 429 beyond so many ServiceNow requests an hour, as an instance's rule would."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Which generated company; the same seed tells the same story.")] = 1,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="Month in which its story begins; by default 18 months ago."),
    ] = None,
    until_eof: Annotated[bool, typer.Option(hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Serve stand-ins for ServiceNow, Jira, clouds, forges and HR on this machine, over their real wire protocols.

    Example: bsc-monitor sandbox --port 9880 --servicenow-incidents incidents.csv.gz
    """
    given: dict[str, Any] = {
        "servicenow_incidents": servicenow_incidents, "servicenow_tables": servicenow_tables, "jira_issues": jira_issues,
        "focus_folder": focus_folder, "seed": seed, "since": since.date() if since else None,
    }  # fmt: skip
    try:
        asyncio.run(_serve(port, requests_per_hour, given, until_eof=until_eof))
    except (OSError, ValueError) as error:
        typer.echo(f"The sandbox cannot start: {error}", err=True)
        if isinstance(error, OSError) and error.filename is None:
            typer.echo("Give another --port, or end the program that uses this one.", err=True)
        raise typer.Exit(1) from None


async def _serve(port: int, requests_per_hour: int | None, given: dict[str, Any], *, until_eof: bool) -> None:
    from bsc_monitor.sandbox import start
    from bsc_monitor.sandbox.servicenow import Behaviour

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    behaviour = Behaviour(requests_per_window=requests_per_hour)
    served = await start(port, behaviour=behaviour, **given)
    typer.echo(f"ServiceNow  {served.servicenow_url}  user demo, password demo")
    typer.echo(f"Jira        {served.jira_url}  user demo@example.com, token demo")
    typer.echo(f"Jira DC     {served.jira_dc_url}  the same issues, token demo")
    typer.echo(f"AWS         {served.aws_url}  access key and secret demo, account 111122223333")
    typer.echo(f"Azure       {served.azure_url}  tenant, client and secret demo")
    typer.echo(f"GitHub      {served.github_url}  token demo")
    typer.echo(f"GitLab      {served.gitlab_url}  token demo")
    typer.echo(f"People      {served.people_url}  token demo")
    if given["focus_folder"]:
        typer.echo(f"FOCUS       {given['focus_folder']}")
    typer.echo("Ctrl-C stops it.")
    sys.stdout.flush()
    if until_eof:
        # the write end is the parent's: it closes however the parent ends, kill -9 included
        loop.add_reader(sys.stdin.fileno(), stop.set)
    await stop.wait()
    await served.stop()
