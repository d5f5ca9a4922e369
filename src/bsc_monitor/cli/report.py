"""``bsc-monitor report``: a stakeholder report of a scorecard and period, to a file, the terminal's pipe or a receiver."""

from __future__ import annotations

import asyncio
import sys
import urllib.error
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from bsc_monitor.cli.asking import address_of, open_request, request_of
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all, write_file
from bsc_monitor.config import Configuration

if TYPE_CHECKING:
    from bsc_monitor.alert.routing import Channel
    from bsc_monitor.notify.outcome import Outcome
    from bsc_monitor.report.data import ReportData
    from bsc_monitor.report.letter import Letter

_SECONDS = 120.0


class _Asked(NamedTuple):
    """What the command line asks for."""

    scorecard: str
    period: str
    forms: tuple[str, ...]
    owner: str


class _Made(NamedTuple):
    """A report, and its formats by file name."""

    data: ReportData
    files: dict[str, bytes]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(report)


def report(
    scorecard: Annotated[str, typer.Argument(help="Id of the scorecard")],
    period: Annotated[
        str, typer.Option(help="2026-10, 2026-Q3, 2026-W07, 2026-10-31, 2026; the last closed month by default")
    ] = "",
    form: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", help="html, pdf, xlsx, csv or json; pdf by default. Repeatable"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File; - for standard output")] = None,
    owner: Annotated[
        str, typer.Option(help="The detail of this owner's KPIs, instead of one page for executives")
    ] = "",
    to: Annotated[
        str, typer.Option(help="Send it to this receiver instead: as a mail, with the formats attached")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a report, or send it. That of a closed period is kept: it is the same, byte for byte, whenever it is asked for.

    Example: bsc-monitor report it --period 2026-10 --format pdf --out october.pdf

    Example: bsc-monitor report it --format pdf --format xlsx --to board
    """
    from bsc_monitor.report.making import NoReportError
    from bsc_monitor.report.render import FormatError

    configuration, plugins = load_all(config)
    asked = _Asked(scorecard, period, tuple(dict.fromkeys(form or ("pdf",))), owner)
    _check(configuration, asked, to, out)
    try:
        made = _get(configuration, asked)
    except (NoReportError, FormatError) as error:
        raise typer.BadParameter(str(error)) from None
    if to:
        _send(configuration, made, to, plugins.hooks.hook)
    else:
        _write(made, out)


def _check(configuration: Configuration, asked: _Asked, to: str, out: Path | None) -> None:
    """Raise typer.BadParameter for what cannot be made, sent or written so."""
    from bsc_monitor.report.render import CONTENT_TYPES

    if unknown := [each for each in asked.forms if each not in CONTENT_TYPES]:
        raise typer.BadParameter(f"there is no format {unknown[0]!r}; there is {', '.join(CONTENT_TYPES)}")
    if to and to not in configuration.receivers:
        known = ", ".join(configuration.receivers) or "none: add [receivers.ID]"
        raise typer.BadParameter(f"there is no receiver {to!r}; there is {known}")
    if out is not None and (to or len(asked.forms) > 1):
        raise typer.BadParameter("--out is for one format, and for a report that is not sent")


def _write(made: _Made, out: Path | None) -> None:
    for name, content in made.files.items():
        if str(out) == "-":
            sys.stdout.buffer.write(content)
            continue
        file = out or Path(name)
        write_file(file, content)
        typer.echo(f"{file} ({len(content):,} bytes)" + _draft(made))


def _draft(made: _Made) -> str:
    return "" if made.data.final else "; not final: its numbers may still change"


def _send(configuration: Configuration, made: _Made, to: str, hook: Any) -> None:
    from bsc_monitor.alert.routing import channels_of
    from bsc_monitor.report.letter import Letter
    from bsc_monitor.web.pages.reports import address

    now, data = datetime.now(UTC), made.data
    board = address_of(configuration)
    files = {name: content for name, content in made.files.items() if not name.endswith(".html")}  # the mail itself
    link = board + address(data.scorecard, data.period, "html", data.owner)
    receivers = {name: each for provided in hook.bsc_receivers() for name, each in provided.items()}
    failed = False
    for channel in channels_of(configuration.receivers[to]):
        letter = Letter(f"command:{now:%Y-%m-%dT%H:%M:%S.%fZ}:{channel.id}", data, files, link, board)
        outcome = asyncio.run(_deliver(channel, letter, receivers, now))
        failed |= not outcome.ok
        typer.echo(f"{channel.id}: {outcome.error or f'delivered{_draft(made)}'}", err=not outcome.ok)
    if failed:
        raise typer.Exit(1)


async def _deliver(channel: Channel, letter: Letter, receivers: Any, now: datetime) -> Outcome:
    from bsc_monitor.collect.receiving import receiver_client
    from bsc_monitor.report.sending import send

    client = receiver_client(channel.id)
    try:
        return await send(channel, letter, client.run, receivers, now)
    finally:
        await client.close()


def _get(configuration: Configuration, asked: _Asked) -> _Made:
    """From the store, or from the service that holds it. Raises NoReportError, FormatError."""
    from bsc_monitor.store import Store, Taken

    try:
        store = Store.open(configuration.service.database)
    except Taken:
        return _of_service(configuration, asked)
    try:
        return _of_store(store, configuration, asked)
    finally:
        store.close()


def _of_store(store: object, configuration: Configuration, asked: _Asked) -> _Made:
    """Made here, while no service runs."""
    from bsc_monitor.evaluate.initiatives import in_force
    from bsc_monitor.report.making import subject_of
    from bsc_monitor.report.render import file_name, render
    from bsc_monitor.report.shelf import keep, on_shelf
    from bsc_monitor.store import Store
    from bsc_monitor.store.actions import load_said

    assert isinstance(store, Store)  # noqa: S101 - for the type checker: the store is imported late
    configuration = in_force(configuration, store.read_now(load_said))
    subject = subject_of(configuration, asked.scorecard, asked.period, asked.owner, datetime.now(UTC))
    files: dict[str, bytes] = {}
    data = None
    for form in asked.forms:
        data, content = store.read_now(partial(on_shelf, subject=subject, form=form))
        if content is None:
            content = store.write_now(partial(keep, data=data, form=form, content=render(data, form)))
        files[file_name(data, form)] = content
    assert data is not None  # noqa: S101 - there is a format at least
    return _Made(data, files)


def _of_service(configuration: Configuration, asked: _Asked) -> _Made:
    """Of the running service, which holds the store."""
    from bsc_monitor.report.data import from_json
    from bsc_monitor.report.making import subject_of
    from bsc_monitor.report.render import file_name

    subject = subject_of(configuration, asked.scorecard, asked.period, asked.owner, datetime.now(UTC))
    contents = _fetch(configuration, subject.period.label, asked, ("json", *asked.forms))
    data = from_json(contents["json"].decode())
    return _Made(data, {file_name(data, form): contents[form] for form in asked.forms})


def _fetch(configuration: Configuration, period: str, asked: _Asked, forms: Sequence[str]) -> dict[str, bytes]:
    from bsc_monitor.report.making import NoReportError
    from bsc_monitor.web.pages.reports import address

    base = address_of(configuration)
    found: dict[str, bytes] = {}
    for form in dict.fromkeys(forms):
        request = request_of(base + address(asked.scorecard, period, form, asked.owner))
        try:
            with open_request(configuration, request, seconds=_SECONDS) as reply:
                found[form] = reply.read()
        except urllib.error.HTTPError as error:
            words = " ".join(error.read(2000).decode(errors="replace").split())
            said = words if len(words) < 300 and "<" not in words else f"the service answered {error.code}"
            raise NoReportError(said) from None
        except OSError as error:
            raise NoReportError(f"a service has the database, but does not answer at {base}: {error}") from None
    return found
