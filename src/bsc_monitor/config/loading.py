"""Loading a configuration: read, check, build; every mistake at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bsc_monitor.config.build_alerts import AddressFault, AlertBuilder
from bsc_monitor.config.build_organisation import OrganisationBuilder
from bsc_monitor.config.build_service import build_sandbox, build_service
from bsc_monitor.config.build_sources import Sources
from bsc_monitor.config.form import ActionForm, ReportForm
from bsc_monitor.config.include import read
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.problems import ConfigError, near
from bsc_monitor.config.secrets import SecretReader
from bsc_monitor.config.settings import Action, Configuration, Report
from bsc_monitor.config.suspect import warn_suspect
from bsc_monitor.config.templates import expand
from bsc_monitor.config.things import TABLES, Things, gather
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.plugin import Collector

FindCollectors = Callable[[Sequence[Path]], Mapping[str, type[Collector]]]
WhyBroken = Callable[[str], object]  #: what is wrong with a plugin of a name; None: there is none of that name


def load(
    path: Path,
    find_collectors: FindCollectors,
    why_broken: WhyBroken = lambda _: None,
    address_fault: AddressFault = lambda _: "",
) -> Configuration:
    """The configuration in a file and all that it includes.

    ``find_collectors`` is given the plugin folders and returns collector classes by name. A plugin that is there and
    broken (``why_broken``) is a warning: its sources will fail, the rest runs. ``address_fault`` says what is wrong with
    an address of Apprise. Raises ConfigError with every mistake found. Secrets are read from the environment and from
    files, and never appear in a message.
    """
    with _unswept():
        return _load(Path(path), find_collectors, why_broken, address_fault)


def _load(
    path: Path, find_collectors: FindCollectors, why_broken: WhyBroken, address_fault: AddressFault
) -> Configuration:
    documents = read(path, tuple(TABLES))
    notes = Notes(documents)
    if not documents.tables and notes.errors:
        raise ConfigError(notes.errors)
    things = gather(documents, notes)
    expand(things, notes)
    if documents.broken:  # what is missing may stand in the file that cannot be read
        raise ConfigError(notes.errors)
    configuration = _build(path.absolute().parent, things, find_collectors, why_broken, address_fault, notes)
    if notes.errors:
        raise ConfigError(notes.errors)
    warn_suspect(configuration, things, notes)
    return replace(configuration, warnings=tuple(sorted(notes.warnings)), files=tuple(documents.files))


def plugin_folders(path: Path) -> tuple[Path, ...]:
    """The plugin folders that a configuration names; none where it cannot be read."""
    table = read(Path(path), tuple(TABLES)).tables.get("service")
    said = table.get("plugins", []) if isinstance(table, dict) else []
    folders = [folder for folder in said if isinstance(folder, str)] if isinstance(said, list) else []
    return tuple(Path(path).absolute().parent / folder for folder in folders)


@contextmanager
def _unswept() -> Iterator[None]:
    """Things only grow while a configuration is built: looking for garbage among 10,000 KPIs takes a quarter of the time."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


def _build(
    base: Path,
    things: Things,
    find_collectors: FindCollectors,
    why_broken: WhyBroken,
    address_fault: AddressFault,
    notes: Notes,
) -> Configuration:
    reader = SecretReader(base, notes)
    service = build_service(things.single.get("service"), base, reader, notes)
    wanted = bool(things.tables.get("sources"))
    sources = Sources(things, find_collectors(service.plugins) if wanted else {}, notes, why_broken)
    sources.build(base)
    organisation = OrganisationBuilder(things, sources, service.timezone, notes).build()
    alerts = AlertBuilder(things, organisation, notes, address_fault)
    return Configuration(
        service=service,
        sandbox=build_sandbox(things.single.get("sandbox"), base),
        organisation=organisation,
        sources=sources.built,
        alert_rules=alerts.rules(),
        receivers=alerts.receivers(reader),
        routes=alerts.routes(),
        maintenance=alerts.maintenance(service.timezone),
        inhibitions=alerts.inhibitions(),
        reports=_reports(things, organisation, alerts, notes),
        actions=_actions(things, notes),
    )


def _reports(things: Things, organisation: Organisation, alerts: AlertBuilder, notes: Notes) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    for thing in things.of("reports", ReportForm):
        form, known = thing.form, things.known("scorecards")
        if form.scorecard not in known:
            hint = near(form.scorecard, known)
            notes.error((*thing.path, "scorecard"), f"there is no scorecard {form.scorecard!r}", hint)
        alerts.check_references(form.to, "receivers", (*thing.path, "to"))
        card = organisation.scorecards.get(form.scorecard)
        title = form.title or (card.title if card else form.scorecard)
        reports[thing.id] = Report(
            thing.id, form.scorecard, title, PeriodKind(form.period), form.at, tuple(form.formats), tuple(form.to),
            form.owner, notes.place(thing.path),
        )  # fmt: skip
    return reports


def _actions(things: Things, notes: Notes) -> dict[str, Action]:
    actions: dict[str, Action] = {}
    for thing in things.of("actions", ActionForm):
        form = thing.form
        for key, table, said in (("source", "sources", form.source), ("scorecard", "scorecards", form.scorecard)):
            known = things.known(table)
            if said is not None and said not in known:
                notes.error((*thing.path, key), f"there is no {table[:-1]} {said!r}", near(said, known))
        actions[thing.id] = Action(
            thing.id, form.source, form.params, frozenset(form.on), form.worsening, form.scorecard,
            notes.place(thing.path),
        )  # fmt: skip
    return actions
