"""What can be alerted on, and the labels by which it is known."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bsc_monitor.model.alert import Alert, AlertKind, AlertRule, matches_all
from bsc_monitor.model.organisation import Kpi, LiveProgress, Organisation
from bsc_monitor.model.period import PeriodKind

SubjectKind = Literal["kpi", "objective", "perspective", "scorecard", "collector", "insight", "initiative", "forecast", "service"]  # fmt: skip

_WATCHED: dict[AlertKind, frozenset[str]] = {
    "breach": frozenset({"kpi", "objective", "perspective", "scorecard"}),
    "score": frozenset({"kpi", "objective", "perspective", "scorecard"}),
    "stale": frozenset({"kpi"}),
    "collector": frozenset({"collector"}),
    "insight": frozenset({"insight"}),
    "initiative": frozenset({"initiative"}),
    "forecast": frozenset({"forecast"}),
    "watchdog": frozenset({"service"}),
}
_PERIODS = {
    PeriodKind.DAY: 1, PeriodKind.WEEK: 7, PeriodKind.MONTH: 31, PeriodKind.QUARTER: 92, PeriodKind.YEAR: 366,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that rules may watch. ``labels`` are those that an alert on it carries."""

    kind: SubjectKind
    name: str
    labels: Mapping[str, str]
    title: str = ""
    owner: str = ""
    unit: str = ""
    runbook_url: str = ""
    window: timedelta = timedelta(days=31)  #: within which a score is said to have fallen

    @property
    def key(self) -> str:
        """``kind:name``, as a stored alert names it."""
        return f"{self.kind}:{self.name}"


def subject_of(organisation: Organisation, key: str) -> Subject | None:
    """The subject ``kind:name``; None when the organisation has it not (or no longer)."""
    kind, _, name = key.partition(":")
    find = _FINDERS.get(kind)
    return find(organisation, name) if find else None


def is_dead_man(alert: Alert) -> bool:
    """Whether an alert is the dead man's switch: it fires because the service is alive."""
    return alert.subject.startswith("service:")


def standing_subjects(organisation: Organisation) -> Iterator[Subject]:
    """Everything that an organisation has to be watched; what is found from time to time (insights) is about one of these."""
    views = (view.name for card in organisation.scorecards.values() for view in card.perspectives)
    of_each: tuple[tuple[Callable[[Organisation, str], Subject | None], Iterable[str]], ...] = (
        (_kpi, organisation.kpis), (_objective, organisation.objectives), (_perspective, views),
        (_scorecard, organisation.scorecards), (_initiative, organisation.initiatives),
    )  # fmt: skip
    for find, names in of_each:
        yield from filter(None, (find(organisation, name) for name in names))
    for source, measure in dict.fromkeys(_collections(organisation)):
        yield _of_collection(source, measure)


def watches(rule: AlertRule, subject: Subject) -> bool:
    """Whether a rule watches a subject.

    Without a ``kind`` matcher, ``breach`` watches KPIs, and ``score`` the deepest level that its matchers name (the
    scorecard if none): a red KPI would otherwise be told once for every node above it.
    """
    if subject.kind not in _WATCHED[rule.when]:
        return False
    named = {matcher.label for matcher in rule.match}
    if rule.when in ("breach", "score") and "kind" not in named:
        levels = ("kpi", "objective", "perspective")
        deepest = next((level for level in levels if level in named), "scorecard")
        if subject.kind != ("kpi" if rule.when == "breach" else deepest):
            return False
    if rule.when == "insight" and rule.insights and subject.labels.get("insight") not in rule.insights:
        return False
    return matches_all(rule.match, {**subject.labels, "kind": subject.kind})


def _kpi(organisation: Organisation, name: str) -> Subject | None:
    kpi = organisation.kpis.get(name)
    return None if kpi is None else _of_kpi("kpi", name, kpi, {})


def _forecast(organisation: Organisation, name: str) -> Subject | None:
    kpi = organisation.kpis.get(name)
    return None if kpi is None else _of_kpi("forecast", name, kpi, {})


def _insight(organisation: Organisation, name: str) -> Subject | None:
    """``name`` is ``insight kind@what it is about``: a KPI, an objective or an initiative."""
    insight, _, about = name.partition("@")
    if (kpi := organisation.kpis.get(about)) is not None:
        return _of_kpi("insight", name, kpi, {"insight": insight})
    found = _objective(organisation, about) or _initiative(organisation, about)
    if found is None:
        return None
    return Subject("insight", name, {**found.labels, "insight": insight}, found.title, found.owner)


def _of_kpi(kind: SubjectKind, name: str, kpi: Kpi, more: Mapping[str, str]) -> Subject:
    labels = {
        "scorecard": kpi.scorecard, "perspective": kpi.perspective, "objective": kpi.objective.rpartition("/")[2],
        "kpi": kpi.id, "source": kpi.source or "", "owner": kpi.owner, "severity": kpi.severity or "", **more,
    }  # fmt: skip
    said = {label: value for label, value in labels.items() if value}
    days = timedelta(days=_PERIODS[kpi.period])
    return Subject(kind, name, said, kpi.title, kpi.owner, kpi.unit, kpi.runbook_url, days)


def _objective(organisation: Organisation, name: str) -> Subject | None:
    objective = organisation.objectives.get(name)
    if objective is None:
        return None
    labels = {"scorecard": objective.scorecard, "perspective": objective.perspective, "objective": objective.id}
    if objective.owner:
        labels["owner"] = objective.owner
    return Subject("objective", name, labels, objective.title, objective.owner)


def _perspective(organisation: Organisation, name: str) -> Subject | None:
    card = organisation.scorecards.get(name.partition("/")[0])
    if card is None:
        return None
    found = next((view for view in card.perspectives if view.name == name), None)
    if found is None:
        return None
    return Subject("perspective", name, {"scorecard": card.id, "perspective": found.id}, found.title, card.owner)


def _scorecard(organisation: Organisation, name: str) -> Subject | None:
    card = organisation.scorecards.get(name)
    if card is None:
        return None
    labels = {"scorecard": card.id, **({"owner": card.owner} if card.owner else {})}
    return Subject("scorecard", name, labels, card.title, card.owner)


def _collector(organisation: Organisation, name: str) -> Subject | None:
    """``name`` is ``source/measure``; it is watched as long as a KPI or an initiative asks for it."""
    source, _, measure = name.partition("/")
    return _of_collection(source, measure) if (source, measure) in _collections(organisation) else None


def _collections(organisation: Organisation) -> Iterator[tuple[str, str]]:
    """What is asked of which source, by KPIs and by initiatives; each as often as it is asked."""
    for kpi in organisation.kpis.values():
        if kpi.source is not None and kpi.measure is not None:
            yield kpi.source, kpi.measure
    for initiative in organisation.initiatives.values():
        if isinstance(progress := initiative.progress, LiveProgress):
            yield progress.source, progress.measure


def _of_collection(source: str, measure: str) -> Subject:
    return Subject("collector", f"{source}/{measure}", {"source": source, "measure": measure}, f"{measure} of {source}")


def _initiative(organisation: Organisation, name: str) -> Subject | None:
    initiative = organisation.initiatives.get(name)
    if initiative is None:
        return None
    labels = {"initiative": name, **({"owner": initiative.owner} if initiative.owner else {})}
    return Subject("initiative", name, labels, initiative.title, initiative.owner)


def _service(_: Organisation, name: str) -> Subject | None:
    return Subject("service", name, {}, "bsc-monitor is alive")


_FINDERS = {
    "kpi": _kpi, "objective": _objective, "perspective": _perspective, "scorecard": _scorecard, "forecast": _forecast,
    "collector": _collector, "insight": _insight, "initiative": _initiative, "service": _service,
}  # fmt: skip
