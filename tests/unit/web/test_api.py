"""The JSON API: filters, pages, ETags, strict bodies, and a description that fits."""

from datetime import timedelta

import pytest
from tests.unit.web import site


async def get(client, path, **headers):
    answer = await client.get(f"/api/v1{path}", headers=headers)
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_a_kpi_is_told_in_its_own_unit_and_unknown_is_null(client):
    told = await get(client, "/kpis/it/mttr")
    wanted = {
        "value": 31.5, "unit": "h", "target": 8.0, "red": 24.0, "status": "red", "freshness": "fresh", "score": 12.0,
        "better": "lower", "owner": "cio@example.com", "period": "2026-06", "objective": "it/restore-fast",
        "since": "2026-06-10T09:30:00Z",
    }  # fmt: skip
    assert {key: told[key] for key in wanted} == wanted
    unknown = await get(client, "/kpis/it/training")
    assert (unknown["value"], unknown["score"], unknown["status"], unknown["freshness"]) == (
        None,
        None,
        "unknown",
        "missing",
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=red", ["it/mttr", "it/sla"]),
        ("scorecard=company", ["company/margin", "company/nps"]),
        ("perspective=learning_growth", ["it/training"]),
        ("objective=it/restore-fast", ["it/backlog", "it/mttr", "it/tickets"]),
        ("freshness=stale", ["it/backlog"]),
        ("source=cloud", ["it/cloud-cost"]),
        ("q=LEAD", ["it/lead-time"]),
        ("status=red&scorecard=company", []),
    ],
)
async def test_kpis_are_filtered(client, query, names):
    found = await get(client, f"/kpis?{query}")
    assert [each["name"] for each in found["items"]] == names
    assert found["total"] == len(names)


async def test_pages_follow_each_other_until_the_last(client):
    names, address = [], "/api/v1/kpis?limit=5"
    while address:
        answer = await client.get(address)
        page = await answer.json()
        assert page["total"] == len(site.STATE)
        names += [each["name"] for each in page["items"]]
        address = answer.links["next"]["url"].path_qs if "next" in answer.links else None
    assert names == sorted(site.STATE)


async def test_a_scorecard_is_told_down_to_its_objectives(client):
    told = await get(client, "/scorecards/it")
    assert (told["parent"], told["status"], told["counts"]["red"]) == ("company", "amber", 2)
    assert [each["name"] for each in told["perspectives"]] == [f"it/{id}" for id, _ in site.FOUR]
    process = told["perspectives"][2]["objectives"]
    assert [each["name"] for each in process] == ["it/restore-fast", "it/ship-safely"]
    assert process[0]["supports"] == "company/trust"
    assert process[0]["drives"] == ["it/happy-users"]
    short = (await get(client, "/scorecards"))["items"]
    assert [(each["name"], each["children"]) for each in short] == [("company", ["it"]), ("it", [])]
    assert len((await get(client, "/perspectives?scorecard=it"))["items"]) == 4
    assert len((await get(client, "/objectives?perspective=customer"))["items"]) == 2


async def test_the_past_is_told_as_it_was_frozen(client):
    then = await get(client, "/status?at=2026-05&scorecard=it")
    assert then["at"] == "2026-05"
    assert next(each for each in then["kpis"] if each["name"] == "it/sla")["value"] == pytest.approx(81.216)
    assert then["scorecards"][0]["score"] == pytest.approx((await get(client, "/scorecards/it"))["score"] - 1)
    assert (await get(client, "/status"))["at"] is None
    assert (await client.get("/api/v1/status?at=2031")).status == 404


async def test_whatever_has_a_past_shows_it_and_what_has_none_refuses_to_be_asked(client):
    then = await get(client, "/status?at=2026-05&scorecard=it")
    card = then["scorecards"][0]
    assert await get(client, "/scorecards/it?at=2026-05") == card
    listed = (await get(client, "/scorecards?at=2026-05"))["items"]
    assert next(each for each in listed if each["name"] == "it")["score"] == card["score"]
    sla = next(each for each in then["kpis"] if each["name"] == "it/sla")
    assert await get(client, "/kpis/it/sla?at=2026-05") == sla
    assert sla in (await get(client, "/kpis?at=2026-05&scorecard=it"))["items"]
    views = (await get(client, "/perspectives?at=2026-05&scorecard=it"))["items"]
    shown = [each["score"] for each in card["perspectives"]]
    assert [each["score"] for each in views] == shown
    assert len((await get(client, "/objectives?at=2026-05&scorecard=it"))["items"]) > 0
    for path in ("/scorecards/it", "/scorecards", "/kpis", "/kpis/it/sla", "/perspectives", "/objectives"):
        assert (await client.get(f"/api/v1{path}?at=2031")).status == 404
    assert (await client.get("/api/v1/alignment?at=2026-05")).status == 422


async def test_periods_readings_segments_and_the_chart_come_from_the_store(client):
    periods = (await get(client, "/kpis/it/mttr/periods"))["items"]
    assert [each["period"] for each in periods][-2:] == ["2026-05", "2026-06"]
    assert periods[-1]["closed_at"] is None
    readings = (await get(client, "/kpis/it/mttr/readings?limit=2"))["items"]
    assert [each["at"] for each in readings] == ["2026-06-14T07:30:00Z", "2026-06-14T05:30:00Z"]
    older = (await get(client, "/kpis/it/mttr/readings?before=2026-06-14T05:30:00Z"))["items"]
    assert [each["at"] for each in older] == ["2026-06-14T03:30:00Z"]
    segments = (await get(client, "/kpis/it/mttr/segments"))["items"]
    assert sorted(each["labels"]["team"] for each in segments) == ["Payments", "Platform"]
    chart = await get(client, "/kpis/it/mttr/chart")
    assert (len(chart["points"]), chart["points"][-1]["open"]) == (13, True)
    phase = chart["phases"][0]
    assert phase["lower"] < phase["centre"] < phase["upper"]
    assert {"day": "2026-03-01", "text": "Swarm on major incidents"} in chart["annotations"]


async def test_an_unchanged_answer_is_not_sent_again(client):
    first = await client.get("/api/v1/kpis")
    again = await client.get("/api/v1/kpis", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.text()) == (304, "")
    other = await client.get("/api/v1/kpis?status=red", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status == 200
    whatever = await client.get("/api/v1/kpis", headers={"If-None-Match": "*"})
    assert whatever.status == 304


async def test_the_description_tells_of_unchanged_answers_further_pages_and_a_database_that_is_away(client):
    described = (await get(client, "/openapi.json"))["paths"]
    listing, silencing = described["/api/v1/kpis"]["get"], described["/api/v1/silences"]["post"]
    assert list(listing["responses"]) == ["200", "304", "401", "403", "404", "422", "503"]
    assert listing["responses"]["200"]["headers"].keys() == {"ETag", "Link"}
    assert "content" not in listing["responses"]["304"]
    assert "If-None-Match" in [each["name"] for each in listing["parameters"] if each["in"] == "header"]
    assert "Retry-After" in silencing["responses"]["503"]["headers"]
    assert "304" not in silencing["responses"]


async def test_alerts_are_told_as_alertmanager_tells_them_and_who_took_them_on(client):
    found = (await get(client, "/alerts"))["items"]
    assert [(each["labels"]["kpi"], each["phase"], each["status"]["state"]) for each in found] == [
        ("mttr", "firing", "active"), ("sla", "firing", "active"), ("cloud-cost", "pending", "unprocessed"),
    ]  # fmt: skip
    assert found[0]["acknowledgement"]["author"] == "ops@example.com"
    assert found[0]["annotations"]["summary"] == "Mean time to resolve"
    assert [each["labels"]["kpi"] for each in (await get(client, "/alerts?kpi=sla"))["items"]] == ["sla"]
    assert len((await get(client, "/alerts?state=pending"))["items"]) == 1
    silences = (await get(client, "/silences"))["items"]
    assert silences[0]["matchers"][1] == {"name": "severity", "value": "info|warning", "isRegex": True, "isEqual": True}
    assert silences[0]["status"]["state"] == "active"


LATER = (site.NOW + timedelta(hours=2)).isoformat()
GOOD = [
    ("/acknowledgements", {"fingerprint": "0123456789abcdef", "note": "mine"}, 201, "acknowledge"),
    ("/silences", {"matchers": [{"name": "scorecard", "value": "it"}], "endsAt": LATER}, 201, "silence"),
    ("/comments", {"subject": "kpi:it/mttr", "text": "a\u0007b"}, 201, "comment"),
    (
        "/maintenance",
        {"id": "patch", "cron": "0 22 * * 2", "lasts": "3h", "matchers": [{"name": "kpi", "value": "mttr"}]},
        201,
        "maintain",
    ),
    ("/kpis/it/mttr/readings", {"value": 12.5}, 201, "set_value"),
    ("/sources/itsm/run", None, 202, "run_now"),
    ("/backfill", {"subject": "itsm", "start": "2025-01-01"}, 202, "backfill"),
    ("/rescore", {"kpis": ["it/mttr"], "start": "2025-01-01"}, 200, "rescore"),
]


@pytest.mark.parametrize(("path", "body", "status", "call"), GOOD)
async def test_what_is_asked_for_is_done(client, path, body, status, call):
    answer = await client.post(f"/api/v1{path}", json=body)
    assert answer.status == status, await answer.text()
    assert client.board.operations.calls[-1][0] == call


async def test_text_is_cleaned_before_it_goes_anywhere(client):
    await client.post("/api/v1/comments", json={"subject": "kpi:it/mttr", "text": "a\u0007b\u202ec"})
    assert client.board.operations.calls[-1] == ("comment", "kpi:it/mttr", "a\ufffdb\ufffdc", "local")


async def test_a_silence_or_a_window_that_nothing_meets_is_made_and_said(client):
    near = ["nothing is called 'mtttr' now; did you mean 'mttr'?"]
    matchers = [{"name": "kpi", "value": "mtttr"}]
    answer = await client.post("/api/v1/silences", json={"matchers": matchers, "endsAt": LATER})
    assert (answer.status, (await answer.json())["warnings"]) == (201, near)
    window = {"id": "patch", "cron": "0 22 * * 2", "lasts": "3h", "matchers": matchers}
    answer = await client.post("/api/v1/maintenance", json=window)
    assert (answer.status, (await answer.json())["warnings"]) == (201, near)
    assert [call[0] for call in client.board.operations.calls] == ["silence", "maintain"]
    for name, value, warnings in (
        ("kpi", "mttr", []),
        ("alertname", "kpi-red", []),
        ("team", "ops", []),
        ("alertname", "kpi-rod", ["nothing is called 'kpi-rod' now; did you mean 'kpi-red'?"]),
        ("teem", "ops", ["no alert has a label 'teem'; did you mean 'team'?"]),
    ):
        asked = {"matchers": [{"name": name, "value": value}], "endsAt": LATER}
        assert (await (await client.post("/api/v1/silences", json=asked)).json())["warnings"] == warnings


async def test_a_silence_is_ended_by_its_id(client):
    assert (await client.delete("/api/v1/silences/s-1")).status == 204
    assert client.board.operations.calls == [("expire_silence", "s-1", "local")]


async def test_a_window_is_ended_by_its_name(client):
    assert (await client.delete("/api/v1/maintenance/patch-day")).status == 204
    assert client.board.operations.calls == [("end_maintenance", "patch-day", "local")]


async def test_windows_say_whose_they_are_and_when_they_open(client):
    configured, own = (await get(client, "/maintenance"))["items"]
    assert (configured["origin"], configured["createdBy"], own["origin"], own["createdBy"]) == (
        "configuration", "", "person", "ann",
    )  # fmt: skip
    assert own["lasts"] == "90m"
    assert own["openUntil"] is None
    assert own["opensAt"] == "2026-06-14T20:00:00Z"
    assert own["matchers"] == [{"name": "source", "value": "git", "isRegex": False, "isEqual": True}]


BAD = [
    ("/maintenance", '{"id": "p", "cron": "* * * * *", "lasts": "soon", "matchers": [{"name": "a", "value": "b"}]}', 409),
    ("/maintenance", '{"id": "p", "cron": "* * * * *", "lasts": "1h", "matchers": []}', 422),
    ("/kpis/it/mttr/readings", '{"value": false}', 422),
    ("/kpis/it/mttr/readings", '{"value": "12"}', 422),
    ("/kpis/it/mttr/readings", '{"value": NaN}', 422),
    ("/kpis/it/mttr/readings", '{"value": 1e999}', 422),
    ("/kpis/it/mttr/readings", '{"value": 1, "extra": 2}', 422),
    ("/kpis/it/mttr/readings", '{"value": 1, "at": "0001-01-01T00:00:00+14:00"}', 409),
    ("/kpis/it/mttr/readings", '{"value": 1, "at": "2026-01-01T00:00:00"}', 422),
    ("/kpis/it/mttr/readings", "[" * 10_000, 422),
    ("/kpis/it/mttr/readings", "", 422),
    ("/kpis/it/mttr/readings", '{"value": 1, "note": "' + "x" * 70_000 + '"}', 413),
    ("/kpis/it/none/readings", '{"value": 1}', 404),
    ("/comments", '{"subject": "kpi:it/mttr", "text": "\\ud800"}', 422),
    ("/comments", '{"subject": "kpi:it/mttr", "text": "\\u0007 "}', 201),
    ("/comments", '{"subject": "kpi:it/mttr", "text": "  "}', 409),
    ("/backfill", '{"subject": "itsm", "start": "2025-02-30"}', 409),
    ("/rescore", '{"kpis": ["it/mttr"], "start": "0001-01-01"}', 409),
    ("/silences", '{"matchers": [], "endsAt": "2026-07-01T00:00:00Z"}', 422),
    ("/silences", '{"matchers": [{"name": "a", "value": "(", "isRegex": true}], "endsAt": "2026-07-01T00:00:00Z"}', 409),
    ("/silences", '{"matchers": [{"name": "a", "value": ".*", "isRegex": true}], "endsAt": "2026-07-01T00:00:00Z"}', 409),
    ("/silences", '{"matchers": [{"name": "a", "value": "b"}], "endsAt": "2020-07-01T00:00:00Z"}', 409),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status"), BAD)
async def test_a_body_is_taken_strictly_or_refused_in_words(client, path, body, status):
    answer = await client.post(f"/api/v1{path}", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == status, await answer.text()
    if status >= 400:
        assert (await answer.json())["detail"]
        assert client.board.operations.calls == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=many", "limit=5&limit=6", "status=blue", "unknown=1", "scorecard=IT"]
)
async def test_a_wrong_parameter_is_named(client, query):
    answer = await client.get(f"/api/v1/kpis?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in (await answer.json())["detail"]


async def test_only_json_is_taken(client):
    answer = await client.post("/api/v1/comments", data={"subject": "kpi:it/mttr", "text": "x"})
    assert answer.status == 415


async def test_scores_are_explained_and_misalignment_is_listed(client):
    kpi = (await get(client, "/explain/it/mttr"))["explanation"]["kpi"]
    assert (kpi["value"], kpi["thresholds"]["target"]) == (31.5, 8.0)
    card = (await get(client, "/explain/it"))["explanation"]
    assert sum(each["contribution"] for each in card["children"]) == pytest.approx(card["score"])
    assert (await client.get("/api/v1/explain/it/none")).status == 404
    assert {each["kind"] for each in (await get(client, "/alignment"))["items"]} >= {"supports_nothing"}


async def test_sources_tell_their_errors_in_words(client):
    cloud = next(each for each in (await get(client, "/sources"))["items"] if each["id"] == "cloud")
    assert cloud["collectors"][0]["error"] == "the key was refused (403): renew it"
    assert (cloud["webhook"], cloud["kpis"]) == (False, 1)


async def test_the_description_names_every_route_and_only_those(client):
    document = await get(client, "/openapi.json")
    assert document["openapi"] == "3.1.0"
    from bsc_monitor.web.app import TABLES

    api = {(r.method, r.path) for table in TABLES for r in table.routes if r.path.startswith("/api/v1/")}
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == api - {("GET", "/api/v1/openapi.json")}
    assert all(each["summary"] for methods in document["paths"].values() for each in methods.values())
