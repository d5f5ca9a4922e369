"""``bsc-monitor initiative``: what is being done, starting something, and saying how far it is."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bsc_monitor.cli.asking import api_of, open_request, request_of
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, load_all
from bsc_monitor.config import Configuration
from bsc_monitor.model.insight import InitiativePhase

_SECONDS = 15.0

initiatives = typer.Typer(help="Initiatives: what is being done about what.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(initiatives, name="initiative")


@initiatives.command("list")
def listing(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List initiatives with where they are in plan, do, check, act.

    Example: bsc-monitor initiative list --json
    """
    found = _ask(load_all(config)[0], "GET", "/initiatives")["items"]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("Id", "Title", "Phase", "Progress", "Due", "Verdict"):
        table.add_column(name)
    for each in found:
        progress = "" if each["progress"] is None else f"{each['progress'] * 100:.0f} %"
        late = " late" if each["late"] else ""
        table.add_row(
            each["id"], each["title"], each["phase"] + late, progress, each["due"] or "", each["verdict"] or ""
        )
    Console().print(table)


@initiatives.command("start")
def start(
    title: Annotated[str, typer.Argument(help="What will be done")],
    targets: Annotated[
        list[str] | None, typer.Option("--for", help="scorecard/id of a KPI or objective; may be repeated")
    ] = None,
    owner: Annotated[str, typer.Option(help="Who answers for it")] = "",
    begin: Annotated[str, typer.Option("--start", help="2026-11-01; today by default")] = "",
    due: Annotated[str, typer.Option(help="2027-03-31")] = "",
    expect: Annotated[str, typer.Option(help="The effect promised: it/mttr=-8")] = "",
    by: Annotated[str, typer.Option(help="By when it is to be seen")] = "",
    insight: Annotated[str, typer.Option(help="Id of the insight that it starts from")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Start an initiative in the running service.

    Example: bsc-monitor initiative start "Swarm on incidents" --for it/mttr --due 2027-03-31 --expect it/mttr=-8
    """
    body: dict[str, Any] = {"title": title, "targets": targets or [], "owner": owner, "insight": insight,
                            "start": begin or date.today().isoformat()}  # noqa: DTZ011  # fmt: skip
    if due:
        body["due"] = due
    if expect:
        kpi, _, change = expect.partition("=")
        try:
            body["expect"] = {"kpi": kpi, "change": float(change), **({"by": by} if by else {})}
        except ValueError:
            raise typer.BadParameter("write --expect scorecard/kpi=CHANGE, e.g. it/mttr=-8") from None
    made = _ask(load_all(config)[0], "POST", "/initiatives", body)
    typer.echo(f"{made['id']} is started")


@initiatives.command("change")
def change(
    initiative: Annotated[str, typer.Argument(help="Id of the initiative")],
    state: Annotated[
        InitiativePhase | None, typer.Option(help="Where it is; --auto: as dates and progress say")
    ] = None,
    progress: Annotated[float | None, typer.Option(help="In percent", min=0, max=100)] = None,
    note: Annotated[str, typer.Option("--note", "-m")] = "",
    auto: Annotated[bool, typer.Option("--auto", help="Let dates and progress say the state again")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say how far an initiative is.

    Example: bsc-monitor initiative change swarming --progress 60 --note "two of three teams"
    """
    body: dict[str, Any] = {"note": note}
    if state is not None or auto:
        body["state"] = None if auto else str(state)
    if progress is not None:
        body["progress"] = progress / 100
    _ask(load_all(config)[0], "POST", f"/initiatives/{urllib.parse.quote(initiative, safe='')}", body)
    typer.echo(f"{initiative} is changed")


@initiatives.command("ticket")
def ticket(
    insight: Annotated[str, typer.Argument(help="Id of the insight, as insights --json shows it")],
    action: Annotated[str, typer.Argument(help="Id of the action, as in [actions.ID]")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Open a ticket from an insight; where there is one already, its link.

    Example: bsc-monitor initiative ticket "trend:it/mttr:worsening@2026-03-01" jira
    """
    typer.echo(_ask(load_all(config)[0], "POST", "/tickets", {"insight": insight, "action": action})["link"])


def _ask(configuration: Configuration, method: str, path: str, body: Any = None) -> Any:
    """The running service's answer."""
    base = api_of(configuration)
    request = request_of(base + path, method)
    request.add_header("Content-Type", "application/json")
    try:
        data = None if body is None else json.dumps(body).encode()
        with open_request(configuration, request, data, _SECONDS) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        try:
            words = json.loads(error.read(65_536)).get("detail")
        except (ValueError, AttributeError):
            words = None
        raise typer.BadParameter(words or f"the service answered {error.code}") from None
    except OSError as error:
        raise typer.BadParameter(f"no service answers at {base}: start it with bsc-monitor run ({error})") from None
