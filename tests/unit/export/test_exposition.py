"""The exposition: what parsers read of it, what removal and garbage do to it."""

import asyncio
import gzip
import math
import random
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.collector_metrics import CollectorMetrics
from bsc_monitor.export.exposition import CHUNK, Exposition, wants_gzip, wants_openmetrics
from bsc_monitor.export.families import MAIN_FAMILIES
from bsc_monitor.export.kpi_metrics import KpiMetrics
from bsc_monitor.export.own import own_metrics
from bsc_monitor.export.segment_metrics import SegmentMetrics
from bsc_monitor.export.service_metrics import ServiceMetrics
from bsc_monitor.export.strategy_metrics import StrategyMetrics
from bsc_monitor.export.text import line, number, pairs
from bsc_monitor.model.event import (
    CollectorFailed,
    CollectorRan,
    ConfigReloaded,
    KpiJudged,
    ScoreChanged,
    SegmentJudged,
    StatusChanged,
)
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Perspective, Scorecard, Thresholds
from bsc_monitor.model.status import CollectorError, Freshness, Status

NOW = datetime(2026, 6, 14, 8, 30, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"


def organisation(*kpis):
    objective = Objective("fast", "it", "customer", "Answer fast", drives=("it/cheap",))
    cheap = Objective("cheap", "it", "financial", "Cheap")
    views = (Perspective("financial", "it", "Financial"), Perspective("customer", "it", "Customer"))
    return Organisation(
        {"it": Scorecard("it", 'IT "central"', perspectives=views)},
        {each.name: each for each in (objective, cheap)},
        {kpi.name: kpi for kpi in kpis},
        loaded_at=NOW,
    )


def kpi(id="mttr", **more):
    return Kpi(id, "it", "customer", "it/fast", more.pop("title", "Time to restore"), **more)


def filled(tail=None):
    exposition = Exposition(MAIN_FAMILIES, tail)
    metrics = KpiMetrics(exposition)
    known = organisation(kpi(unit="h", better="lower"), kpi("cost", unit="EUR"))
    metrics.load(known)
    strategy = StrategyMetrics(exposition)
    strategy.load(known)
    judgement = Judgement(
        "it/mttr", 4.5, Thresholds(target=4.0, red=8.0), 90.0, Status.AMBER, Freshness.FRESH, observed_at=NOW, since=NOW
    )
    metrics.judged(KpiJudged(NOW, judgement))
    metrics.status_changed(StatusChanged(NOW, "it/mttr", Status.AMBER, Status.UNKNOWN))
    strategy.scored(ScoreChanged(NOW, NodeScore("objective", "it/fast", 90.0, Status.AMBER, 0.5)))
    ServiceMetrics(exposition, "1.0").reloaded(ConfigReloaded(NOW, ok=True))
    bus = Bus()
    collectors = CollectorMetrics(exposition, Current(bus))
    bus.subscribe(CollectorRan, collectors.ran)
    bus.subscribe(CollectorFailed, collectors.failed)
    bus.publish([
        CollectorRan(NOW, "jira", "lead_time", 0.3, 5, 2),
        CollectorFailed(NOW, "jira", "lead_time", 70.0, CollectorError.AUTH, "401", 1),
    ])  # fmt: skip
    return exposition, metrics


def samples(body, parse=parse_text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "-0"), (1.5, "1.5"), (999999.0, "999999"), (1e6, "1e+06"), (-1234567.5, "-1.2345675e+06"),
     (1e-4, "0.0001"), (1e-5, "1e-05"), (1e16, "1e+16"), (1781425800.25, "1.78142580025e+09"), (1e100, "1e+100"),
     (5e-324, "5e-324"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)  # fmt: skip
def test_a_number_is_written_as_prometheus_writes_it(value, text):
    assert number(value) == text


def test_every_written_number_reads_back_exactly():
    chance = random.Random(1)
    for _ in range(2000):
        value = chance.uniform(-1, 1) * 10.0 ** chance.randint(-20, 20)
        assert float(number(value)) == value


def test_both_parsers_read_the_same_samples_in_base_units():
    exposition, _ = filled(own_metrics())
    text, openmetrics = exposition.render()[0], exposition.render(OPENMETRICS)[0]
    read = {key: value for key, value in samples(text).items() if key[0].startswith("bsc_")}
    again = {key: value for key, value in samples(openmetrics, parse_openmetrics).items() if key[0].startswith("bsc_")}
    assert read == again
    k = {"scorecard": "it", "perspective": "customer", "objective": "fast", "kpi": "mttr"}
    assert read["bsc_kpi_value", tuple(sorted((k | {"unit": "seconds"}).items()))] == 16200
    assert read["bsc_kpi_status_changes_total", tuple(sorted((k | {"status": "amber"}).items()))] == 1
    assert read["bsc_kpi_status_changes_total", tuple(sorted((k | {"status": "red"}).items()))] == 0
    assert openmetrics.endswith(b"# EOF\n")
    assert b"# EOF" not in text


def test_a_kpi_without_a_score_has_no_score_series_rather_than_zero():
    exposition, metrics = filled()
    metrics.judged(KpiJudged(NOW, Judgement("it/cost")))
    read = samples(exposition.render()[0])
    assert not [key for key in read if key[0] in ("bsc_kpi_score", "bsc_kpi_value") and ("kpi", "cost") in key[1]]
    assert [v for key, v in read.items() if key[0] == "bsc_kpi_status_code" and ("kpi", "cost") in key[1]] == [0]


def test_series_of_a_removed_kpi_are_gone_at_the_next_scrape():
    exposition, metrics = filled()
    exposition.render("", "gzip")
    metrics.load(organisation(kpi("cost", unit="EUR")))
    for encoding in ("", "gzip"):
        body, _, encoded = exposition.render("", encoding)
        body = gzip.decompress(body) if encoded else body
        assert b'kpi="mttr"' not in body
        assert b'kpi="cost"' in body


@pytest.mark.parametrize(
    "title", ['say "hi"', "a\nb", "back\\slash", "<script>alert(1)</script>", "\ud800", "\x00\r\x1b", "é" * 500, "}"]
)
def test_hostile_titles_never_break_the_exposition(title):
    exposition = Exposition(MAIN_FAMILIES)
    KpiMetrics(exposition).load(organisation(kpi(title=title, owner=title)))
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        read = samples(exposition.render(accept)[0], parse)
        (labels,) = (dict(key[1]) for key in read if key[0] == "bsc_kpi_info")
        clean = "".join("\ufffd" if (c < " " and c != "\n") or "\ud800" <= c <= "\udfff" else c for c in title)
        assert labels["title"] == clean


def broken_down(*events, by=(), cap=50):
    metrics = SegmentMetrics(cap)
    metrics.load(organisation(kpi(unit="%", by=by)))
    for labels, value, status in events:
        metrics.judged(SegmentJudged(NOW, "it/mttr", labels, value, None, status))
    return metrics


def test_a_hundred_thousand_segments_fold_and_are_counted():
    each = [
        (((("team", f"team {n}"),)), float(n), Status.RED if n == 7 else Status.GREEN) for n in range(100_000)
    ]  # fmt: skip
    read = samples(broken_down(*each).exposition.render()[0])
    values = {dict(key[1])["segment"]: value for key, value in read.items() if key[0] == "bsc_kpi_segment_value"}
    assert len(values) == 50
    assert values["team 7"] == pytest.approx(0.07)
    assert [value for key, value in read.items() if key[0] == "bsc_segments_folded"] == [99_950]


def test_a_segment_without_a_value_has_a_status_and_one_over_two_dimensions_is_left_out():
    metrics = broken_down(
        ((("team", "a"),), None, Status.UNKNOWN),
        ((("priority", "1"), ("team", "a")), 3.0, Status.RED),
        ((("city", "Rome"),), 3.0, Status.RED),
        by=("team", "priority"),
    )
    read = samples(metrics.exposition.render()[0])
    assert {(key[0], dict(key[1]).get("segment")): value for key, value in read.items()} == {
        ("bsc_kpi_segment_status_code", "a"): 0,
        ("bsc_segments_folded", None): 0,
    }


def test_a_dimension_that_the_configuration_no_longer_breaks_down_by_is_gone_and_units_are_written_anew():
    metrics = broken_down(((("team", "a"),), 50.0, Status.GREEN), ((("city", "Rome"),), 50.0, Status.GREEN))
    assert b'segment="Rome"' in metrics.exposition.render()[0]
    metrics.load(organisation(kpi(unit="min", by=("team",))))
    body = metrics.exposition.render()[0]
    assert b'segment="Rome"' not in body
    assert b'unit="seconds",dimension="team",segment="a"} 3000\n' in body


def test_one_bad_kpi_is_left_out_and_counted_and_the_others_stand():
    exposition, metrics = filled()
    metrics.judged(KpiJudged(NOW, Judgement("it/mttr", "4.5", status=Status.GREEN)))
    body = exposition.render()[0]
    assert b'kpi="mttr"' not in body
    assert b'kpi="cost"' in body
    assert exposition.failures == 1
    bad = kpi("bad", title=3)
    metrics.load(organisation(bad, kpi("good")))
    body = exposition.render()[0]
    assert b'kpi="good"' in body
    assert exposition.failures == 2


def test_random_changes_leave_exactly_the_latest_lines_in_plain_and_gzip():
    chance, exposition, expected = random.Random(2), Exposition(MAIN_FAMILIES), {}
    for _ in range(40):
        for _ in range(100):
            key = chance.randrange(5 * CHUNK)
            if chance.random() < 0.3:
                exposition.remove(key)
                expected.pop(key, None)
            else:
                expected[key] = chance.random()
                text = line("bsc_kpi_score", pairs(("kpi",), (str(key),)), expected[key])
                exposition.set("bsc_kpi_score", key, text)
        plain = exposition.render()[0]
        assert {int(dict(key[1])["kpi"]): value for key, value in samples(plain).items()} == expected
        assert gzip.decompress(exposition.render("", "gzip")[0]) == plain
        assert gzip.decompress(asyncio.run(exposition.answer("", "gzip"))[0]) == plain


def test_content_is_negotiated_by_quality():
    assert wants_openmetrics(OPENMETRICS)
    assert not wants_openmetrics("text/plain, application/openmetrics-text;q=0.1")
    assert not wants_openmetrics("application/openmetrics-text;q=0")
    assert not wants_openmetrics("*/*")
    assert wants_gzip("deflate, gzip")
    assert not wants_gzip("gzip;q=0, br")
    assert not wants_gzip("")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")
def test_promtool_finds_nothing_to_say_about_the_text_form():
    exposition, _ = filled()
    done = subprocess.run(["promtool", "check", "metrics"], input=exposition.render()[0], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_service_counts_its_events_and_names_its_version():
    exposition = Exposition(MAIN_FAMILIES)
    service = ServiceMetrics(exposition, "1.2.3")
    for _ in range(3):
        service.happened(ConfigReloaded(NOW, ok=True))
    service.stalled(0.02)
    read = samples(exposition.render()[0])
    assert read["bsc_events_total", (("kind", "ConfigReloaded"),)] == 3
    assert read["bsc_loop_stall_seconds", ()] == 0.02
    assert [("version", "1.2.3") in key[1] for key in read if key[0] == "bsc_build_info"] == [True]
