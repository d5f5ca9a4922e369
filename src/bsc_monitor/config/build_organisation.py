"""From scorecards, objectives, KPIs and initiatives to the organisation, every reference resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bsc_monitor.config.build_calendar import build_calendar
from bsc_monitor.config.build_kpis import build_kpi
from bsc_monitor.config.build_sources import Sources
from bsc_monitor.config.build_thresholds import build_weight
from bsc_monitor.config.form_scorecard import (
    InitiativeForm,
    KpiForm,
    ObjectiveForm,
    PerspectiveForm,
    ProgressForm,
    ScorecardForm,
    TemplateForm,
)  # fmt: skip
from bsc_monitor.config.graphs import cycles
from bsc_monitor.config.links import check_formulas, check_links
from bsc_monitor.config.names import Names
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.problems import near
from bsc_monitor.config.templates import fill
from bsc_monitor.config.things import Thing, Things
from bsc_monitor.model.organisation import (
    PERSPECTIVES,
    Expectation,
    Initiative,
    Kpi,
    LiveProgress,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
)  # fmt: skip


class OrganisationBuilder:
    """Builds the organisation step by step; what is wrong is noted and left out."""

    def __init__(self, things: Things, sources: Sources, timezone: str, notes: Notes) -> None:
        self._things = things
        self._sources = sources
        self._timezone = timezone
        self._notes = notes
        self.names = Names(notes)
        self.scorecards: dict[str, Scorecard] = {}
        self.objectives: dict[str, Objective] = {}
        self.kpis: dict[str, Kpi] = {}
        self.initiatives: dict[str, Initiative] = {}
        self._objective_things: dict[str, Thing[ObjectiveForm]] = {}
        self._kpi_things: dict[str, Thing[KpiForm]] = {}

    def build(self) -> Organisation:
        """All of it."""
        self._build_scorecards()
        self._build_objectives()
        self._build_kpis()
        self.objectives = check_links(self.objectives, self._objective_things, self.scorecards, self.names, self._notes)
        self.kpis = check_formulas(self.kpis, self._kpi_things, self.names, self._notes)
        self._build_initiatives()
        return Organisation(self.scorecards, self.objectives, self.kpis, self.initiatives)

    def _build_scorecards(self) -> None:
        templates = {thing.id: thing.form for thing in self._things.of("templates", TemplateForm)}
        cards = {thing.id: thing for thing in self._things.of("scorecards", ScorecardForm)}
        known = self._things.known("scorecards")
        calendars = {}
        built: dict[str, Scorecard] = {}
        for card in cards.values():
            parent = card.form.parent
            if parent is not None and parent not in known:
                message = f"there is no scorecard {parent!r}"
                self._notes.error((*card.path, "parent"), message, near(parent, known - {card.id}))
            zone = card.form.timezone or self._timezone
            if zone not in calendars:
                calendars[zone] = build_calendar(self._things.single.get("calendar"), zone, self._notes)
            scorecard = self._scorecard(card, templates.get(card.form.template or ""))
            built[card.id] = replace(scorecard, calendar=calendars[zone])
        self.scorecards = self._parents_first(built, cards)

    def _scorecard(self, card: Thing[ScorecardForm], template: TemplateForm | None) -> Scorecard:
        form, given = card.form, card.form.arguments
        title = form.title or str(given.get("title") or card.id.replace("-", " ").replace("_", " ").capitalize())
        views = form.perspectives
        if views is None and template is not None:
            views = template.perspectives
        if views is None:
            views = {name: PerspectiveForm() for name in PERSPECTIVES}
        if not views:
            self._notes.error((*card.path, "perspectives"), "a scorecard needs one perspective at least")
        perspectives = tuple(
            Perspective(
                id=name, scorecard=card.id, title=str(fill(view.title or _title(name), given)),
                weight=build_weight(view.weight, (*card.path, "perspectives", name), self._notes), missing=view.missing,
                min_coverage=view.min_coverage,
            )
            for name, view in views.items()
        )  # fmt: skip
        return Scorecard(
            id=card.id, title=title, parent=form.parent, perspectives=perspectives, min_coverage=form.min_coverage,
            vision=form.vision or str(fill(template.vision, given) if template else ""),
            owner=form.owner or str(fill(template.owner, given) if template else ""), place=self._notes.place(card.path),
        )  # fmt: skip

    def _parents_first(
        self, built: Mapping[str, Scorecard], cards: Mapping[str, Thing[ScorecardForm]]
    ) -> dict[str, Scorecard]:
        links = {name: [card.parent] if card.parent in built else [] for name, card in built.items()}
        circles = cycles({name: [p for p in parents if p] for name, parents in links.items()})
        for circle in circles:
            self._notes.error((*cards[circle[0]].path, "parent"), f"circular parents: {' → '.join(circle)}")
        ordered: dict[str, Scorecard] = {}
        for name in built:
            chain = [name]
            while (parent := built[chain[-1]].parent) in built and parent not in ordered and parent not in chain:
                chain.append(str(parent))
            for each in reversed(chain):
                ordered.setdefault(each, built[each])
        return ordered

    def _build_objectives(self) -> None:
        things = list(self._things.of("objectives", ObjectiveForm))
        for thing in things:
            objective = self._objective(thing)
            if objective is None:
                self.names.lose("objectives", [thing.id])
            elif name := self.names.add("objectives", objective.scorecard, objective.id, thing.path):
                self.objectives[name] = objective
                self._objective_things[name] = thing
        self.names.lose("objectives", self._without_form("objectives"))

    def _without_form(self, table: str) -> set[str]:
        good = {f"{t.scorecard}/{t.id}" if t.scorecard else t.id for t in self._things.tables.get(table, ())}
        return self._things.known(table) - good

    def _objective(self, thing: Thing[ObjectiveForm]) -> Objective | None:
        form, path = thing.form, thing.path
        name = thing.scorecard or form.scorecard
        known = self._things.known("scorecards")
        if name is None:
            self._notes.error((*path, "scorecard"), "is required", near("", known))
            return None
        if name not in self.scorecards:
            if name not in known:
                message = f"there is no scorecard {name!r}"
                self._notes.error((*path, "scorecard"), message, near(name, known))
            return None
        views = [view.id for view in self.scorecards[name].perspectives]
        if form.perspective not in views:
            message = f"scorecard {name!r} has no perspective {form.perspective!r}"
            self._notes.error((*path, "perspective"), message, near(form.perspective, views))
            return None
        return Objective(
            id=thing.id, scorecard=name, perspective=form.perspective, title=form.title or _title(thing.id),
            weight=build_weight(form.weight, path, self._notes), missing=form.missing, min_coverage=form.min_coverage,
            owner=form.owner, description=form.description, place=self._notes.place(path),
        )  # fmt: skip

    def _build_kpis(self) -> None:
        for thing in self._things.of("kpis", KpiForm):
            where = (*thing.path, "objective")
            found = self.names.find(("objectives",), thing.form.objective, thing.scorecard, where)
            if found is None:
                self.names.lose("kpis", [thing.id])
                continue
            kpi = build_kpi(thing, self.objectives[found[1]], self._sources, self._notes)
            if name := self.names.add("kpis", kpi.scorecard, kpi.id, thing.path):
                self.kpis[name] = kpi
                self._kpi_things[name] = thing
        self.names.lose("kpis", self._without_form("kpis"))

    def _build_initiatives(self) -> None:
        for thing in self._things.of("initiatives", InitiativeForm):
            form, path = thing.form, thing.path
            kinds = ("kpis", "objectives")
            targets = [
                self.names.find(kinds, reference, thing.scorecard, (*path, "for", place))
                for place, reference in enumerate(form.targets)
            ]
            if form.start and form.due and form.due < form.start:
                self._notes.error((*path, "due"), f"{form.due} is before the start on {form.start}")
            if not form.targets and form.expect is None:
                self._notes.warn(path, "it is for nothing", 'for = ["a-kpi"]')
            name = f"{thing.scorecard}-{thing.id}" if thing.scorecard else thing.id
            if name in self.initiatives:
                self._notes.error(path, f"{name!r} is already defined in {self.initiatives[name].place}")
            self.initiatives[name] = Initiative(
                id=name, title=form.title or _title(thing.id), targets=tuple(found[1] for found in targets if found),
                owner=form.owner, start=form.start, due=form.due, expect=self._expectation(thing),
                progress=self._progress(thing), state=form.state, place=self._notes.place(path),
            )  # fmt: skip

    def _expectation(self, thing: Thing[InitiativeForm]) -> Expectation | None:
        expect = thing.form.expect
        if expect is None:
            return None
        found = self.names.find(("kpis",), expect.kpi, thing.scorecard, (*thing.path, "expect", "kpi"))
        if found is None:
            return None
        kpi = self.kpis.get(found[1])
        if kpi is not None and expect.change * {"higher": -1, "lower": 1}.get(kpi.better, 0) > 0:
            message = f'a change of {expect.change:+g} makes {kpi.id} worse, which is better = "{kpi.better}"'
            self._notes.warn((*thing.path, "expect", "change"), message, f"did you mean {-expect.change:+g}?")
        return Expectation(found[1], expect.change, expect.by)

    def _progress(self, thing: Thing[InitiativeForm]) -> float | LiveProgress | None:
        progress = thing.form.progress
        if not isinstance(progress, ProgressForm):
            return progress
        self._sources.ask(progress.source, progress.measure, progress.params, (*thing.path, "progress"))
        return LiveProgress(progress.source, progress.measure, progress.params)


def _title(name: str) -> str:
    if name == "learning_growth":
        return "Learning & growth"
    return name.replace("-", " ").replace("_", " ").capitalize()
