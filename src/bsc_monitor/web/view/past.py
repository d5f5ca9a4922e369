"""The state at the end of a past period, from what was frozen then."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bsc_monitor.model.insight import InitiativeState
from bsc_monitor.model.judgement import Counts, Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Initiative
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Freshness, ReadingState
from bsc_monitor.score import periods
from bsc_monitor.store import history
from bsc_monitor.web.board import Board
from bsc_monitor.web.view.scene import Scene
from bsc_monitor.web.view.trails import Trails

_KINDS: dict[str, NodeKind] = {
    "objective": "objective", "perspective": "perspective", "scorecard": "scorecard",
}  # fmt: skip
_SHOWN_FOR = timedelta(days=400)  #: a value older than that at the moment shown says nothing about it


class NoSuchPeriod(ValueError):  # noqa: N818 - names what was asked for
    """The period asked for cannot be shown. ``str()`` says why."""


def asked_period(text: str, board: Board) -> Period | None:
    """The past period that was asked for; None for the present. Raises ``NoSuchPeriod``."""
    cards = board.organisation.scorecards
    calendar = next(iter(cards.values())).calendar if cards else Calendar()
    try:
        return periods.asked_period(text, calendar, board.clock())
    except ValueError as error:
        raise NoSuchPeriod(str(error)) from None


async def past_scene(board: Board, period: Period) -> Scene:
    """Everything as it was judged at a period's end."""
    organisation = board.organisation
    values, since, nodes = await board.store.read(lambda connection: _frozen(connection, period))
    judgements = {
        each.kpi: _judged(each, period, since.get(each.kpi)) for each in values if each.kpi in organisation.kpis
    }
    states = board.current.initiatives
    running = {
        name: each for name, each in organisation.initiatives.items() if _under_way(each, states.get(name), period.end)
    }
    return Scene(
        organisation, judgements, {(_KINDS[each.kind], each.name): _scored(each) for each in nodes if each.kind in _KINDS},
        Trails(board.store), period.end, past=period.label, initiatives=running,
    )  # fmt: skip


def _under_way(initiative: Initiative, state: InitiativeState | None, moment: datetime) -> bool:
    """Whether an initiative had begun by then and was not over, as far as its dates tell today."""
    over = state is not None and state.phase.over and state.since <= moment
    return initiative.start is not None and initiative.start < moment.date() and not over


def _frozen(connection: Connection, period: Period) -> tuple[list[PeriodValue], dict[str, datetime], list[NodePeriod]]:
    found = history.values_ended_by(connection, period.end)
    recent = [each for each in found if each.period.end > period.end - _SHOWN_FOR]
    return recent, history.status_starts(connection, period.end), history.nodes_of(connection, period)


def _judged(of: PeriodValue, period: Period, since: datetime | None) -> Judgement:
    known = of.value is not None and of.state in (ReadingState.OK, ReadingState.PARTIAL)
    before = of.period.end <= period.start
    return Judgement(
        of.kpi, of.value, of.thresholds, of.score, of.status,
        Freshness.MISSING if not known else Freshness.STALE if before and of.period.kind is period.kind else Freshness.FRESH,
        of.period, before, of.observed_at, since, of.samples, of.state, evidence=of.evidence, note=of.note,
    )  # fmt: skip


def _scored(of: NodePeriod) -> NodeScore:
    counts = Counts(of.green, of.amber, of.red, of.missing)
    return NodeScore(_KINDS[of.kind], of.name, of.score, of.status, of.coverage, counts, of.reason, None)
