"""``bsc-monitor report``: a stakeholder report of a scorecard and period, to a file or the terminal's pipe."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all
from bsc_monitor.config import Configuration

_SECONDS = 120.0


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(report)


def report(
    scorecard: Annotated[str, typer.Argument(help="Id of the scorecard")],
    period: Annotated[str, typer.Option(help="2026-10, 2026-Q3 …; the last closed month by default")] = "",
    form: Annotated[str, typer.Option("--format", "-f", help="html, pdf, xlsx, csv or json")] = "pdf",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; - for standard output")] = None,
    owner: Annotated[
        str, typer.Option(help="The detail of this owner's KPIs, instead of one page for executives")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a report. That of a closed period is kept: it is the same, byte for byte, whenever it is asked for again.

    Example: bsc-monitor report it --period 2026-10 --format pdf --out october.pdf
    """
    from bsc_monitor.report.making import NoReportError
    from bsc_monitor.report.render import CONTENT_TYPES, FormatError
    from bsc_monitor.store import Store, Taken

    configuration, _ = load_all(config)
    if form not in CONTENT_TYPES:
        raise typer.BadParameter(f"there is no format {form!r}; there is {', '.join(CONTENT_TYPES)}")
    try:
        try:
            store = Store.open(configuration.service.database)
        except Taken:
            name, content, final = _asked(configuration, scorecard, period, form, owner)
        else:
            try:
                name, content, final = _made(store, configuration, scorecard, period, form, owner)
            finally:
                store.close()
    except (NoReportError, FormatError) as error:
        raise typer.BadParameter(str(error)) from None
    if str(out) == "-":
        sys.stdout.buffer.write(content)
        return
    file = out or Path(name)
    file.write_bytes(content)
    typer.echo(f"{file} ({len(content):,} bytes)" + ("" if final else "; not final: the period is not closed yet"))


def _made(
    store: object, configuration: Configuration, scorecard: str, period: str, form: str, owner: str
) -> tuple[str, bytes, bool]:
    """Made here, while no service runs."""
    from bsc_monitor.evaluate.initiatives import in_force
    from bsc_monitor.report.making import subject_of
    from bsc_monitor.report.render import file_name, render
    from bsc_monitor.report.shelf import keep, on_shelf
    from bsc_monitor.store import Store
    from bsc_monitor.store.actions import load_said

    assert isinstance(store, Store)  # noqa: S101 - for the type checker: the store is imported late
    configuration = in_force(configuration, store.read_now(load_said))
    subject = subject_of(configuration, scorecard, period, owner, datetime.now(UTC))
    data, content = store.read_now(lambda connection: on_shelf(connection, subject, form))
    if content is None:
        made = render(data, form)
        content = store.write_now(lambda connection: keep(connection, data, form, made))
    return file_name(data, form), content, data.final


def _asked(configuration: Configuration, scorecard: str, period: str, form: str, owner: str) -> tuple[str, bytes, bool]:
    """Of the running service, which holds the store. ``BSC_TOKEN`` holds the token where it asks for one."""
    from bsc_monitor.report.making import NoReportError, subject_of
    from bsc_monitor.web.pages.reports import address

    subject = subject_of(configuration, scorecard, period, owner, datetime.now(UTC))
    service = configuration.service
    host = f"[{service.host}]" if ":" in service.host else service.host
    base = (service.url or f"http://{host}:{service.port}").rstrip("/")
    where = base + address(scorecard, subject.period.label, form, owner)
    request = urllib.request.Request(where)  # noqa: S310 - from the configuration
    if token := os.environ.get("BSC_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310
            content = reply.read()
            final = reply.headers.get("X-Bsc-Final") == "yes"
    except urllib.error.HTTPError as error:
        words = " ".join(error.read(2000).decode(errors="replace").split())
        raise NoReportError(
            words if len(words) < 300 and "<" not in words else f"the service answered {error.code}"
        ) from None
    except OSError as error:
        raise NoReportError(f"a service has the database, but does not answer at {base}: {error}") from None
    owned = "".join(c if c.isalnum() else "-" for c in owner.partition("@")[0])
    return f"{scorecard}-{subject.period.label}{'-' + owned if owned else ''}.{form}", content, final
