"""The collector's figures on a real incident log against the same figures computed straight from the file.

The expected values come from the plain csv module and share no code with the collector or the sandbox.
"""

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from statistics import fmean

import pytest
import pytest_asyncio
from tests.contract.servicenow_run import SHARED, month, parts, run, total

from bsc_monitor.sandbox import start

LOG = SHARED / "data" / "servicenow-incident-events.csv.gz"
pytestmark = [
    pytest.mark.skipif(not LOG.exists(), reason="the incident log is not beside this checkout"),
    pytest.mark.asyncio(loop_scope="module"),  # one sandbox for all: the log takes a second to read
]
MONTHS = ["2016-03", "2016-04", "2016-05"]
BOUNDS = {
    "2016-03": (datetime(2016, 3, 1), datetime(2016, 4, 1)),
    "2016-04": (datetime(2016, 4, 1), datetime(2016, 5, 1)),
    "2016-05": (datetime(2016, 5, 1), datetime(2016, 6, 1)),
}


def when(text):
    return None if text == "?" else datetime.strptime(text, "%d/%m/%Y %H:%M")


@pytest.fixture(scope="module")
def incidents():
    last = {}
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        for event in csv.DictReader(file):
            last[event["number"]] = event
    for event in last.values():
        for column in ("opened_at", "resolved_at", "closed_at"):
            event[column] = when(event[column])
    return list(last.values())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    sandbox = await start(servicenow_incidents=LOG)
    yield sandbox.servicenow_url
    await sandbox.stop()


def figures(incidents, label):
    start, end = BOUNDS[label]
    resolved = [i for i in incidents if i["resolved_at"] and start <= i["resolved_at"] < end]
    return {
        "opened": sum(start <= i["opened_at"] < end for i in incidents),
        "resolved": len(resolved),
        "backlog": sum(
            i["opened_at"] < end
            and not (i["resolved_at"] and i["resolved_at"] < end)
            and not (i["closed_at"] and i["closed_at"] < end)
            for i in incidents
        ),
        "mttr": fmean((i["resolved_at"] - i["opened_at"]).total_seconds() / 3600 for i in resolved)
        if resolved
        else None,
        "reopen_rate": sum(int(i["reopen_count"]) > 0 for i in resolved) / len(resolved) if resolved else None,
        "sla_met_ratio": sum(i["made_sla"] == "true" for i in resolved) / len(resolved) if resolved else None,
    }


@pytest.mark.parametrize("label", MONTHS)
async def test_every_figure_of_a_past_month_equals_the_file(url, incidents, label):
    expected = figures(incidents, label)

    found = {measure: total(await run(url, measure, month(label))).value for measure in expected}

    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("column", ["priority", "assignment_group"])
async def test_every_figure_equals_the_file_by_priority_and_by_assignment_group(url, incidents, column):
    groups = defaultdict(list)
    for incident in incidents:
        groups[incident[column].replace("?", "none")].append(incident)
    expected = {name: figures(members, "2016-04") for name, members in groups.items()}
    for measure in ("opened", "resolved", "backlog", "mttr", "reopen_rate", "sla_met_ratio"):
        found = parts(await run(url, measure, month("2016-04"), by=(column,)), column)

        # a group without a single record is not reported at all
        assert found == pytest.approx(
            {n: f[measure] for n, f in expected.items() if f[measure] is not None and (f[measure] or n in found)}
        )


async def test_a_query_narrows_the_figures(url, incidents):
    urgent = [i for i in incidents if i["priority"][0] in "12"]
    expected = figures(urgent, "2016-04")

    for measure, value in expected.items():
        found = total(await run(url, measure, month("2016-04"), query="priority=1^ORpriority=2"))
        assert found.value == pytest.approx(value)
        assert "priority%3D1" in found.evidence


async def test_alternatives_of_a_query_are_each_narrowed_to_the_period(url, incidents):
    urgent = [i for i in incidents if i["priority"][0] in "12"]

    found = total(await run(url, "mttr", month("2016-04"), query="priority=1^NQpriority=2"))

    assert found.value == pytest.approx(figures(urgent, "2016-04")["mttr"])


async def test_pages_of_any_size_give_the_same_mean(url, incidents):
    found = total(await run(url, "mttr", month("2016-04"), config={"page_size": 97}))

    assert found.value == pytest.approx(figures(incidents, "2016-04")["mttr"])
    assert found.samples == figures(incidents, "2016-04")["resolved"]


async def test_the_fallback_from_task_sla_is_said(url):
    found = total(await run(url, "sla_met_ratio", month("2016-04")))

    assert "made_sla" in found.note
    assert found.numerator / found.denominator == found.value


async def test_a_month_without_records_has_counts_of_zero_and_no_mean(url):
    assert total(await run(url, "opened", month("2019-01"))).value == 0
    assert total(await run(url, "mttr", month("2019-01"))).value is None
    assert total(await run(url, "mttr", month("2019-01"))).state == "no_data"
    assert total(await run(url, "reopen_rate", month("2019-01"))).value is None
