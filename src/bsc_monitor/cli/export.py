"""``bsc-monitor export``: scorecards and their history for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all, write_file
from bsc_monitor.export.labels import node_labels
from bsc_monitor.export.openmetrics_history import history_lines
from bsc_monitor.export.rows import HISTORY_COLUMNS, SCORECARD_COLUMNS, Row, history_rows, scorecard_rows
from bsc_monitor.export.tables import as_csv, as_json, as_xlsx
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import NodePeriod, PeriodValue

_EVERY = 100_000  #: periods of a node: more than any history has


@dataclass(frozen=True, slots=True)
class Present:
    """What is true now, as the store has it."""

    organisation: Organisation
    judgements: Mapping[str, Judgement]
    nodes: Iterable[NodeScore]


@dataclass(frozen=True, slots=True)
class Past:
    """What was true, oldest first, as the store has it."""

    organisation: Organisation
    values: Sequence[PeriodValue]
    nodes: Sequence[NodePeriod]


@dataclass(frozen=True, slots=True)
class Tools:
    """What the commands here are given by the command line's frame: reading the store that a configuration names."""

    present: Callable[[Path], Present]
    past: Callable[[Path, datetime | None], Past]  #: periods that ended after the instant; None: all


def _store_tools() -> Tools:
    """The tools over the configuration's own store, read while the service may be running. They raise StoreError."""

    def present(file: Path) -> Present:
        from bsc_monitor.evaluate import picture
        from bsc_monitor.store import read_only

        configuration, _ = load_all(file)
        now = datetime.now(UTC)
        found = read_only(configuration.service.database, lambda read: picture.present(read, configuration, now))
        return Present(configuration.organisation, found.judgements, found.nodes.values())

    def past(file: Path, since: datetime | None) -> Past:
        from bsc_monitor.store import read_only
        from bsc_monitor.store.history import closed_values, node_periods

        configuration, _ = load_all(file)
        known = configuration.organisation

        def read(connection: Connection) -> Past:
            values = closed_values(connection, known.kpis, since=since)
            nodes = [
                each
                for kind, name in node_labels(known)
                for each in node_periods(connection, kind, name, limit=_EVERY)
                if since is None or each.period.end > since
            ]
            return Past(known, values, nodes)

        return read_only(configuration.service.database, read)

    return Tools(present, past)


class _Form(StrEnum):
    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"


OutOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write this file rather than to the terminal")]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Periods that ended after this day")
]


def register(app: typer.Typer, given: Tools | None = None) -> None:
    """Add the commands to the application; over the configuration's own store by default."""
    tools = given or _store_tools()
    group = typer.Typer(help="Write scorecards and their history for other programs.", no_args_is_help=True)

    @group.command()
    def openmetrics(
        since: FromOption = None,
        job: Annotated[str, typer.Option(help="job label of the target that Prometheus scrapes")] = "bsc-monitor",
        instance: Annotated[str, typer.Option(help="instance label of that target")] = "127.0.0.1:9877",
        output: OutOption = None,
        config: ConfigOption = DEFAULT_CONFIG,
    ) -> None:
        """Write the past for Prometheus, with timestamps.

        Example: bsc-monitor export openmetrics --from 2025-01-01 -o past.om &&
        promtool tsdb create-blocks-from --max-block-duration=8760h openmetrics past.om data
        """
        past = tools.past(config, _utc(since))
        target = {"job": job, "instance": instance}
        _write(b"".join(history_lines(past.organisation, past.values, past.nodes, target)), output)

    for form in _Form:
        _register_table(group, tools, form)
    app.add_typer(group, name="export")


def _register_table(group: typer.Typer, tools: Tools, form: _Form) -> None:
    @group.command(
        form.value,
        help=f"Write the scorecards as they are now, or their history, as {form.value.upper()}.\n\n"
        f"Example: bsc-monitor export {form.value} --history --from 2026-01-01 -o scorecards.{form.value}",
    )
    def table(
        history: Annotated[bool, typer.Option("--history", help="Every period rather than the present")] = False,
        since: FromOption = None,
        output: OutOption = None,
        config: ConfigOption = DEFAULT_CONFIG,
    ) -> None:
        columns: Sequence[str] = SCORECARD_COLUMNS
        if history or since:
            past = tools.past(config, _utc(since))
            columns, rows = HISTORY_COLUMNS, history_rows(past.organisation, past.values)
        else:
            present = tools.present(config)
            rows = scorecard_rows(present.organisation, present.judgements, present.nodes)
        if form is _Form.XLSX and output is None and sys.stdout.isatty():
            raise typer.BadParameter("a workbook is not for a terminal: name a file with -o")
        _write(_rendered(form, columns, rows), output)


def _rendered(form: _Form, columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    if form is _Form.XLSX:
        try:
            return as_xlsx(columns, rows)
        except ModuleNotFoundError:
            raise typer.BadParameter("XLSX needs the report extra: pip install 'bsc-monitor[report]'") from None
    return (as_csv if form is _Form.CSV else as_json)(columns, rows).encode()


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


def _write(body: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
    else:
        write_file(output, body)
        typer.echo(f"{output}: {len(body):,} bytes", err=True)
