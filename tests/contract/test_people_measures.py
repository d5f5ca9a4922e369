"""Surveys and training on a few rows, from files and by REST, against values computed by hand."""

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.contract.collector_run import PLUGINS, check, month, parts, run, total

from bsc_monitor.plugin import CollectorError, Completeness, ReadingState, SourceError
from bsc_monitor.sandbox.callers import Callers
from bsc_monitor.sandbox.people import people_app

MAY = month("2026-05")

# eleven invitations of May, nine answered then; one answer came in June; scores 1–5
CSAT = """survey,sent,answered,score,team
csat,2026-05-01,2026-05-01,5,a
csat,2026-05-01,2026-05-02,5,a
csat,2026-05-01,2026-05-02,4,a
csat,2026-05-02,2026-05-03,3,a
csat,2026-05-02,2026-05-03,1,b
csat,2026-05-02,2026-05-04,4,b
csat,2026-05-03,2026-05-31,7,b
csat,2026-05-03,2026-06-01,1,b
csat,2026-05-03,,,b
csat,2026-04-30,2026-05-01,5,b
csat,2026-05-31,2026-05-31,x,b
nps,2026-05-01,2026-05-01,10,a
"""


@pytest.fixture
def surveys(tmp_path):
    (tmp_path / "answers.csv").write_text(CSAT)
    return {"path": tmp_path}


async def test_csat_is_the_share_of_the_two_best_answers_given_in_the_period(surveys):
    reading = total(await run("survey", surveys, "csat", MAY, survey="csat"))

    assert reading.value == pytest.approx(5 / 7)  # 5 5 4 4 5 of 5 5 4 3 1 4 5; 7 and x are off the scale
    assert (reading.numerator, reading.denominator, reading.samples) == (5, 7, 7)
    assert reading.state is ReadingState.PARTIAL
    assert reading.note == "2 answers off the scale were left out"


async def test_csat_as_the_scaled_mean(surveys):
    reading = total(await run("survey", surveys, "csat", MAY, survey="csat", method="mean"))

    assert reading.value == pytest.approx((4 + 4 + 3 + 2 + 0 + 3 + 4) / 4 / 7)


async def test_an_invitation_that_was_answered_late_still_counts_as_answered(surveys):
    reading = total(await run("survey", surveys, "response_rate", MAY, survey="csat"))

    assert reading.value == pytest.approx(9 / 10)  # sent in May: ten, of which one has no score


async def test_a_response_rate_is_provisional_for_two_weeks(surveys):
    early = total(await run("survey", surveys, "response_rate", MAY, survey="csat", now=MAY.end + timedelta(days=13)))
    late = total(await run("survey", surveys, "response_rate", MAY, survey="csat", now=MAY.end + timedelta(days=15)))

    assert (early.completeness, late.completeness) == (Completeness.PROVISIONAL, Completeness.FINAL)


async def test_few_answers_give_no_value_and_a_sole_small_group_takes_another_one_with_it(surveys):
    few = await run("survey", surveys, "csat", MAY, survey="csat", minimum=8)
    by_team = await run("survey", surveys, "csat", MAY, survey="csat", minimum=4, by=("team",))
    fine = await run("survey", surveys, "csat", MAY, survey="csat", minimum=3, by=("team",))

    assert (few[0].value, few[0].state) == (None, ReadingState.INSUFFICIENT)
    assert parts(by_team, "team") == {"a": None, "b": None}  # b has 3 of 7, so that a would tell b's
    assert all("withheld" in reading.note for reading in by_team[1:])
    assert parts(fine, "team") == {"a": 0.75, "b": pytest.approx(2 / 3)}


async def test_promoters_less_detractors(tmp_path):
    scores = [10, 9, 9, 8, 7, 7, 6, 0, 11]  # 3 promoters, 2 detractors of 8; 11 is off the scale
    rows = "".join(f"2026-05-0{n + 1},{score}\n" for n, score in enumerate(scores))
    (tmp_path / "pulse.csv").write_text("Datum,Punkte\n" + rows)
    config = {"path": tmp_path / "pulse.csv", "columns": {"answered": "Datum", "score": "Punkte"}}

    for measure in ("nps", "enps"):
        assert total(await run("survey", config, measure, MAY)).value == pytest.approx(12.5)


async def test_a_month_without_answers_has_no_value(surveys):
    reading = total(await run("survey", surveys, "nps", month("2026-03"), survey="nps"))

    assert (reading.value, reading.state) == (None, ReadingState.NO_DATA)


PEOPLE = """person,team,joined,left
ann,a,2020-01-01,
bob,a,2026-05-17,
cid,b,2020-01-01,2026-05-15
dan,b,2020-01-01,2026-04-30
eve,b,2026-06-01,
"""
TABLES = {
    "people": PEOPLE,
    "trainings": "person,date,hours,course\nann,2026-05-01,8,x\nbob,2026-05-31,4,y\ncid,2026-06-01,16,x\nzoe,2026-05-02,9,x\nann,2026-05-09,n/a,x\n",
    "certificates": "person,certificate,issued,expires\nann,sec,2024-01-01,2026-05-31\nbob,sec,2024-01-01,2026-05-30\ncid,sec,2024-01-01,\nann,cloud,2026-06-01,\n",
    "requirements": "person,certificate\nann,sec\nann,cloud\nbob,sec\ncid,sec\n",
    "skills": "person,skill,level,since\nann,k8s,3,2020-01-01\nbob,k8s,2,2026-05-17\ncid,cobol,3,2020-01-01\nann,cobol,3,2020-01-01\nann,net,3,2026-06-01\n",
}  # fmt: skip


@pytest.fixture
def hr(tmp_path):
    for name, text in TABLES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return {"path": tmp_path}


async def test_training_hours_per_mean_head(hr):
    reading = total(await run("training", hr, "training_hours", MAY))

    # ann 31 days, bob 15, cid 15: 61 / 31 heads; zoe is no member of staff, cid's course is of June
    assert reading.value == pytest.approx(12 / (61 / 31))
    assert (reading.state, reading.samples) == (ReadingState.PARTIAL, 2)


async def test_training_hours_of_some_courses_and_by_team(hr):
    readings = await run("training", hr, "training_hours", MAY, courses=["y"], by=("team",))

    assert parts(readings, "team") == {"a": pytest.approx(4 / (46 / 31)), "b": 0}


async def test_turnover_is_leavers_by_mean_headcount_annualised_when_said(hr):
    plain = total(await run("training", hr, "turnover", MAY))
    year = total(await run("training", hr, "turnover", MAY, annualised=True))

    assert plain.value == pytest.approx(1 / (61 / 31))  # cid; dan left in April
    assert year.value == pytest.approx(plain.value * 365 / 31)
    assert total(await run("training", hr, "headcount", MAY)).value == 2


async def test_a_certificate_counts_while_it_is_valid(hr):
    listed = total(await run("training", hr, "certification_coverage", MAY))
    everyone = total(await run("training", hr, "certification_coverage", MAY, certificates=["sec"]))

    assert listed.value == pytest.approx(1 / 3)  # ann sec yes, ann cloud not yet, bob sec expired; cid has left
    assert everyone.value == pytest.approx(1 / 2)


async def test_a_skill_is_covered_by_two_holders_who_are_still_there(hr):
    critical = ["k8s", "cobol", "net"]
    two = total(await run("training", hr, "skill_coverage", MAY, critical=critical))
    one = total(await run("training", hr, "skill_coverage", MAY, critical=critical, holders=1))
    good = total(await run("training", hr, "skill_coverage", MAY, critical=critical, level=3))

    assert (two.value, two.note) == (pytest.approx(1 / 3), "fewer than 2 holders: cobol, net")
    assert one.value == pytest.approx(2 / 3)
    assert good.value == 0


async def test_nobody_there_is_no_data_and_not_zero(hr):
    reading = total(await run("training", hr, "training_hours", month("2019-05")))

    assert (reading.value, reading.state) == (None, ReadingState.NO_DATA)


async def test_the_sheets_of_one_book_are_tables(hr, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for name in ("people", "trainings"):
        sheet = book.create_sheet(name)
        for line in TABLES[name].splitlines():
            sheet.append([cell or None for cell in line.split(",")])
    book.save(tmp_path / "hr.xlsx")

    reading = total(await run("training", {"path": tmp_path / "hr.xlsx"}, "training_hours", MAY))

    assert reading.value == pytest.approx(12 / (61 / 31))


@pytest.mark.parametrize(
    ("text", "measure", "words"),
    [
        ("person,team,left\nann,a,\n", "turnover", "no column 'joined'"),
        ("person,joined,left\nann,,\n", "turnover", "'ann' has no day of joining"),
        ("person,joined,left\nann,gestern,\n", "turnover", "'gestern' in column 'joined' is no date"),
        (None, "turnover", "cannot be read"),
    ],
)
async def test_tables_that_cannot_be_used_say_why(tmp_path, text, measure, words):
    if text is not None:
        (tmp_path / "people.csv").write_text(text)
    with pytest.raises(SourceError, match=words) as caught:
        await run("training", {"path": tmp_path}, measure, MAY)
    assert caught.value.reason is CollectorError.CONFIG


@pytest.fixture
async def service():
    tables = {"answers": [{"sent": "2026-05-01", "answered": "2026-05-02", "score": n % 11} for n in range(1100)]}
    callers = Callers()
    app = web.Application()
    app.add_subapp("/people", people_app(tables.get, callers))
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    server.callers = callers
    yield server
    await server.close()


async def test_all_pages_of_a_service_are_read(service):
    config = {"url": str(service.make_url("/people/answers")), "token": "demo", "query": {"per_page": "300"}}

    reading = total(await run("survey", config, "nps", MAY))

    assert reading.samples == 1100  # four pages
    assert reading.value == pytest.approx(100 * (200 - 700) / 1100)


async def test_refusals_of_a_service_are_told_apart(service):
    url = str(service.make_url("/people/answers"))
    for config, reason in [
        ({"url": url, "token": "wrong"}, CollectorError.AUTH),
        ({"url": url + "x", "token": "demo"}, CollectorError.CONFIG),
        ({"url": url, "token": "demo", "items": "rows"}, CollectorError.SCHEMA),
    ]:
        with pytest.raises(SourceError) as caught:
            await check("survey", config)
        assert caught.value.reason is reason


async def test_credentials_are_not_taken_to_another_host():
    async def handle(request):
        return web.json_response({"items": [], "next": "http://elsewhere.example/steal"})

    app = web.Application()
    app.router.add_get("/", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    with pytest.raises(SourceError, match="another host"):
        await run("survey", {"url": str(server.make_url("/")), "token": "t"}, "nps", MAY)
    await server.close()


@pytest.mark.parametrize("config", [{}, {"path": "x", "url": "http://x"}, {"path": "x", "items": "a..b"}])
def test_a_source_has_one_place_and_expressions_that_parse(config):
    with pytest.raises(ValueError, match=r"path or url|JMESPath"):
        PLUGINS.collectors["survey"].Config.model_validate(config)
