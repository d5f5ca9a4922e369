"""An initiative's plan–do–check–act cycle."""

from datetime import UTC, date, datetime

import pytest
from tests.unit.improve.building import initiative, kpi, months, noise, organisation

from bsc_monitor.improve.initiatives import advance, check, review
from bsc_monitor.improve.insights import examined, find_all
from bsc_monitor.improve.relations import relations
from bsc_monitor.model.insight import InitiativePhase, InsightKind, NotEnoughData
from bsc_monitor.model.organisation import LiveProgress

PLANNED, DOING, CHECKING, STANDARDISED, ABANDONED = InitiativePhase
MTTR = kpi()
TICKET = LiveProgress("jira", "epic_progress")


def on(year, month, day=1):
    return datetime(year, month, day, 12, tzinfo=UTC)


def phases(one, *days, progress=None):
    """The phases on some days, one step after the other."""
    state, seen = None, []
    for day in days:
        state, _ = advance(one, state, day, progress=progress)
        seen.append(state.phase)
    return seen


def test_it_is_planned_then_done_then_checked_by_its_dates():
    assert phases(initiative(), on(2025, 11, 30), on(2025, 12, 1), on(2026, 3, 31), on(2026, 4, 1)) == [
        PLANNED, DOING, DOING, CHECKING,
    ]  # fmt: skip


def test_where_a_ticket_tells_progress_it_is_done_when_the_ticket_is():
    ticketed = initiative(progress=TICKET)

    assert phases(ticketed, on(2026, 2, 1), progress=1.0) == [CHECKING]
    state, _ = advance(ticketed, None, on(2026, 5, 1), progress=0.4)
    assert (state.phase, state.late, state.progress) == (DOING, True, 0.4)
    again, events = advance(ticketed, state, on(2026, 5, 2))
    assert (again.progress, events) == (0.4, ())  # what the ticket said last holds until it says more


def test_a_state_said_in_the_configuration_holds():
    assert phases(initiative(state="abandoned"), on(2026, 1, 1)) == [ABANDONED]
    assert phases(initiative(state="planned"), on(2026, 1, 1)) == [PLANNED]


def test_it_is_behind_when_its_progress_lags_a_quarter_of_its_time():
    half = on(2026, 2, 1)
    assert advance(initiative(progress=0.1), None, half)[0].behind
    assert not advance(initiative(progress=0.4), None, half)[0].behind


def test_every_step_is_told_once():
    first, events = advance(initiative(), None, on(2025, 12, 1))
    assert [(event.state.phase, event.before) for event in events] == [(DOING, None)]
    second, events = advance(initiative(), first, on(2025, 12, 20))
    assert (events, second.since) == ((), first.since)
    third, events = advance(initiative(), second, on(2026, 4, 1))
    assert [(event.state.phase, event.before.phase) for event in events] == [(CHECKING, DOING)]
    assert third.since == on(2026, 4, 1)


def company(**more):
    return relations(organisation([MTTR], [initiative(**more)]))


def values(shift, count=18, seed=1):
    return {"it/mttr": months([30 + more + shift * (place >= 12) for place, more in enumerate(noise(seed, count))])}


@pytest.mark.parametrize(
    ("shift", "phase", "verdict"),
    [(-8, STANDARDISED, "worked"), (0, CHECKING, "no_evidence"), (8, CHECKING, "got_worse")],
)
def test_the_effect_is_judged_once_it_has_settled_and_not_before(shift, phase, verdict):
    early, _ = review(company(), values(shift, 17), on(2026, 5, 30))
    late, events = review(company(), values(shift), on(2026, 6, 1), states=early)

    assert (early["swarming"].phase, early["swarming"].verdict) == (CHECKING, None)
    assert early["swarming"].achieved == pytest.approx(shift, abs=1.5)  # seen, not yet judged
    assert (late["swarming"].phase, late["swarming"].verdict) == (phase, verdict)
    assert [event.state.verdict for event in events] == [verdict]
    assert late["swarming"].active is (verdict == "worked") or late["swarming"].phase.over


def test_too_few_periods_give_no_verdict():
    states, _ = review(company(), values(-8, 15), on(2026, 6, 1))

    assert states["swarming"].verdict is None
    assert check(initiative(), MTTR, values(-8, 15)["it/mttr"], "UTC").effect == NotEnoughData(3, 4)


def test_the_month_in_which_it_began_counts_neither_before_nor_after():
    found = check(initiative(start=date(2025, 12, 10)), MTTR, values(-8)["it/mttr"], "UTC")
    assert found.effect.counts == (12, 5)


def test_the_first_day_of_a_local_month_counts_as_after():
    found = check(initiative(start=date(2025, 12, 1)), MTTR, values(-8)["it/mttr"], "UTC")
    assert found.effect.counts == (12, 6)


def test_what_merely_goes_on_is_no_evidence():
    falling = months([40 - place + more / 2 for place, more in enumerate(noise(4, 20))])
    found = check(initiative(), MTTR, falling, "UTC").effect

    assert (found.verdict, found.moved_before) == ("no_evidence", True)


def test_expected_and_achieved_are_compared():
    found = check(initiative(change=-8), MTTR, values(-4)["it/mttr"], "UTC").effect

    assert found.share == pytest.approx(0.5, abs=0.15)
    assert found.new_phase


def test_an_initiative_past_half_its_time_without_a_sign_is_stuck():
    running = company(due=date(2026, 5, 31))
    told = [each for each in find_all(running, values(0, 16), on(2026, 4, 1)) if each.subject == "swarming"]
    better = [each for each in find_all(running, values(-9, 16), on(2026, 4, 1)) if each.subject == "swarming"]

    assert [each.kind for each in told] == [InsightKind.STAGNATION]
    assert told[0].sentence == (
        "“Swarm on major incidents” is past half its time, and Mean time to resolve shows no sign of it yet."
    )
    assert better == []


def test_a_verdict_is_remembered_for_a_year_of_periods():
    def told(count, day):
        return [each for each in find_all(company(), values(0, count), day) if each.kind is InsightKind.EFFECT]

    assert len(told(30, on(2027, 6, 1))) == 1
    assert told(32, on(2027, 8, 1)) == []


def test_a_standardised_initiative_starts_a_new_phase_of_the_chart():
    found = find_all(company(), values(-8, 26), on(2027, 2, 1))
    assert [each.kind for each in found] == [InsightKind.EFFECT]  # the shift is told as its effect, not as a surprise


def test_another_kpi_of_the_initiative_neither_checks_it_nor_ends_its_verdict():
    csat = kpi("csat", better="higher")
    both = relations(organisation([MTTR, csat], [initiative(targets=("it/csat", "it/mttr"))]))
    series = {**values(-8), "it/csat": months(noise(3, 18, 82), csat)}

    assert [each.subject for each in find_all(both, series, on(2026, 6, 1), only=["it/mttr"])] == ["swarming"]
    assert find_all(both, series, on(2026, 6, 1), only=["it/csat"]) == []
    assert examined(both, ["it/csat"]) == {"it/csat"}
    assert examined(both) == {"it/csat", "it/mttr", "swarming"}
