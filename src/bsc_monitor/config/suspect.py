"""What is defined and does nothing, or is probably not meant."""

from __future__ import annotations

from collections.abc import Mapping

from bsc_monitor.config.notes import Notes
from bsc_monitor.config.settings import Configuration
from bsc_monitor.config.things import Things
from bsc_monitor.model.organisation import LiveProgress


def warn_suspect(configuration: Configuration, things: Things, notes: Notes) -> None:
    """Warn of dead and suspicious things of a configuration without errors."""
    organisation = configuration.organisation
    asked = {kpi.source for kpi in organisation.kpis.values()}
    asked |= {i.progress.source for i in organisation.initiatives.values() if isinstance(i.progress, LiveProgress)}
    for source in configuration.sources:
        if source not in asked:
            notes.warn(("sources", source), "no KPI asks this source")
    fed = {kpi.objective for kpi in organisation.kpis.values()} | {o.supports for o in organisation.objectives.values()}
    places = {
        f"{thing.scorecard or thing.form.scorecard}/{thing.id}": thing.path
        for thing in things.tables.get("objectives", ())
    }
    for name in organisation.objectives:
        if name not in fed:
            notes.warn(places[name], "no KPI and no other objective feeds it: it will never have a score")
    filled = {(objective.scorecard, objective.perspective) for objective in organisation.objectives.values()}
    for card in organisation.scorecards.values():
        for view in card.perspectives:
            if (card.id, view.id) not in filled:
                notes.warn(("scorecards", card.id), f"the perspective {view.id!r} has no objective")
    _warn_unreached(configuration, notes)


def _warn_unreached(configuration: Configuration, notes: Notes) -> None:
    told = {name for route in configuration.routes.values() for name in route.receivers}
    told |= {name for report in configuration.reports.values() for name in report.receivers}
    for receiver in configuration.receivers:
        if receiver not in told:
            notes.warn(("receivers", receiver), "no route and no report sends to it")
    _warn_silent(configuration.alert_rules, configuration, notes)


def _warn_silent(rules: Mapping[str, object], configuration: Configuration, notes: Notes) -> None:
    if rules and not configuration.routes:
        notes.warn(
            ("alerts",), "there is no route: alerts are seen on the board and sent to nobody", "add [routes.default]"
        )
