"""How collections go: on the sources' page, in the API, and where a KPI is explained."""

import re
from datetime import timedelta

from tests.unit.web import site

from bsc_monitor.model.event import CollectorFailed, CollectorRan, KpiJudged
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.status import CollectorError


async def text(client, path):
    answer = await client.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def get(client, path):
    answer = await client.get(f"/api/v1{path}")
    assert answer.status == 200, await answer.text()
    return await answer.json()


def shown(page, start, end):
    """What a part of a page says, without its elements."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index(start) : page.index(end, page.index(start))]))


def collection(job, error=None, minutes=0):
    """How one collection of mttr went, so many minutes ago."""
    run = (site.NOW - timedelta(minutes=minutes), "itsm", "mttr", 1.0)
    feeds = {"job": job, "kpis": (f"it/{job}",)}
    if error:
        return CollectorFailed(*run, CollectorError.CONFIG, error, **feeds)
    return CollectorRan(*run, 1, **feeds)


async def test_a_measure_names_each_error_once_and_who_waits_because_of_it(client):
    publish = client.board.bus.publish
    publish([collection("a", "404", 3), collection("b", "404", 2), collection("c", "no number", 1), collection("d")])
    said = shown(await text(client, "/sources"), ">itsm<", "</section>")
    assert "Failing" in said
    assert re.findall(r"never|404|no number|it/[a-d]|configuration|fine", said) == [
        "never", "no number", "it/c", "configuration", "404", "it/a", "it/b", "configuration",
    ]  # fmt: skip
    publish([collection(job, minutes=-1) for job in "abc"])
    said = shown(await text(client, "/sources"), ">itsm<", "</section>")
    assert re.findall("Working|Failing|fine", said) == ["Working", "fine"]


async def test_a_measure_with_very_many_errors_shows_the_newest(client):
    client.board.bus.publish([collection(f"k{n}", f"error {chr(97 + n)}", 9 - n) for n in range(9)])
    said = shown(await text(client, "/sources"), ">itsm<", "</section>")
    assert re.findall(r"error \w|and \d other errors", said) == [*(f"error {x}" for x in "ihgfe"), "and 4 other errors"]


async def test_a_measure_of_which_nothing_that_is_there_has_run_says_so(client):
    client.board.current.keep_collections({"new": CollectionHealth("itsm", "mttr", "new")})
    said = shown(await text(client, "/sources"), ">itsm<", "</section>")
    assert "Not run yet" in said
    assert "not run yet" in said
    assert "fine" not in said


async def test_a_kpi_without_a_value_says_where_it_looks_and_why_its_collection_fails(client):
    client.board.bus.publish([KpiJudged(site.NOW, Judgement(name)) for name in ("it/mttr", "it/sla")])
    client.board.bus.publish([collection("mttr", "GET /mttr: 404", 60), collection("sla")])
    why = shown(await text(client, "/kpis/it/mttr"), 'id="why.', "</section>")
    assert "none yet for 2026-06" in why
    assert "Its collection fails GET /mttr: 404 (config, no run was ever good)" in why
    assert "Its collection fails" not in await text(client, "/kpis/it/sla")
    assert "Its collection fails" not in await text(client, "/kpis/it/mttr?at=2026-05")
    client.board.bus.publish([collection("mttr", minutes=30), collection("mttr", "GET /mttr: 503", 20)])
    why = shown(await text(client, "/kpis/it/mttr"), 'id="why.', "</section>")
    assert "GET /mttr: 503 (config, last good run 14 Jun 2026, 09:00 UTC)" in why
    client.board.bus.publish([collection("mttr")])
    assert "Its collection fails" not in await text(client, "/kpis/it/mttr")


async def test_a_source_tells_which_collections_fail_whatever_the_others_do(client):
    client.board.bus.publish([collection("mttr", "404"), collection("other")])
    (itsm,) = [each for each in (await get(client, "/sources"))["items"] if each["id"] == "itsm"]
    (mttr,) = itsm["collectors"]
    assert (mttr["error"], mttr["last_success"], mttr["last_failure"]) == ("404", None, "2026-06-14T09:30:00Z")
    assert mttr["failing"] == [{
        "kpis": ["it/mttr"], "initiatives": [], "error": "404", "reason": "config", "last_success": None,
        "last_failure": "2026-06-14T09:30:00Z", "next_run": None,
    }]  # fmt: skip
    explained = {name: (await get(client, f"/explain/it/{name}"))["explanation"] for name in ("mttr", "sla")}
    assert (explained["mttr"]["failing"]["error"], explained["sla"]["failing"]) == ("404", None)
    assert (await get(client, "/explain/it/mttr?at=2026-05"))["explanation"]["failing"] is None


async def test_what_has_no_value_is_explained_with_the_period_that_it_looks_at(client):
    said = (await get(client, "/explain/it/training"))["explanation"]["kpi"]
    assert (said["value"], said["period"], said["period_kind"]) == (None, "2026-06", "month")
    said = (await get(client, "/explain/it/training?at=2026-05"))["explanation"]["kpi"]
    assert (said["value"], said["period"]) == (None, "2026-05")
