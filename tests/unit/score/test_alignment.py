"""Alignment: what does not hang together."""

from tests.unit.score.world import kpi, objective, organisation, scorecard

from bsc_monitor.score.alignment import alignment

VIEWS = ("financial", "customer", "internal_process", "learning_growth")


def found(*kpis, **more):
    return {(finding.kind, finding.subject) for finding in alignment(organisation(*kpis, **more))}


def cascade(*objectives):
    cards = [scorecard("company", views=("customer",)), scorecard("it", parent="company", views=("customer",))]
    return found(
        kpi("company/k", leading=True), kpi("it/k", leading=True), objectives=[objective("company/goal"), *objectives],
        scorecards=cards,
    )  # fmt: skip


def test_a_cascade_that_hangs_together_has_no_findings():
    assert cascade(objective("it/goal", supports="company/goal")) == set()


def test_an_objective_that_supports_nothing_and_one_that_nothing_supports():
    assert cascade(objective("it/goal")) == {("supports_nothing", "it/goal"), ("unsupported", "company/goal")}


def test_a_scorecard_without_a_parent_need_not_support_anything():
    assert found(kpi("it/k", leading=True)) == set()


def test_a_perspective_without_a_leading_kpi():
    assert found(kpi("it/k")) == {("no_leading_kpi", "it/customer")}
    assert found(kpi("it/k"), kpi("it/j", leading=True)) == set()


def test_a_driver_against_the_usual_order_of_perspectives():
    card = scorecard("it", views=VIEWS)
    objectives = [
        objective("it/learn", perspective="learning_growth", drives=("it/earn", "it/please")),
        objective("it/please", perspective="customer", drives=("it/earn",)),
        objective("it/earn", perspective="financial", drives=("it/learn",), place="c.toml:9"),
    ]
    kpis = [kpi(f"k{n}", perspective=view, objective=f"it/{o}", leading=True)
            for n, (view, o) in enumerate([("learning_growth", "learn"), ("customer", "please"), ("financial", "earn")])]  # fmt: skip

    world = organisation(*kpis, objectives=objectives, scorecards=[card])

    odd = [finding for finding in alignment(world) if finding.kind == "odd_driver"]
    assert [(finding.subject, finding.place) for finding in odd] == [("it/earn", "c.toml:9")]
    assert "it/earn (financial) is said to drive it/learn (learning_growth)" in odd[0].message
