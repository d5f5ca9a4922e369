"""A report by mail: to a real SMTP server, on its schedule and by command, whole, and once."""

import asyncio
import email
import io
import re
import shutil
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from types import SimpleNamespace
from unittest import mock

import openpyxl
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from tests.servers import free_port
from tests.unit.web import site
from typer.testing import CliRunner

from bsc_monitor.cli import build_app
from bsc_monitor.config import Configuration
from bsc_monitor.config.settings import Report
from bsc_monitor.model.alert import Receiver
from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status
from bsc_monitor.score.periods import period_at, previous
from bsc_monitor.service.reports import Reports
from bsc_monitor.store import Store
from bsc_monitor.store.events import events
from bsc_monitor.store.periods import save_values
from bsc_monitor.store.reports import sendings

SLOT = datetime(2026, 6, 2, 7, tzinfo=UTC)


class Inbox:
    """What a mail server took, and whom it refuses."""

    def __init__(self):
        self.got = []  # recipients and message
        self.refused = {}
        self.answer = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        if self.answer.startswith("250"):
            self.got.append((sorted(envelope.rcpt_tos), message))
        return self.answer


@contextmanager
def smtp():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


class Desk:
    """The reports of a service that has one report for the board, at a moment that the test sets."""

    def __init__(self, store, port, to, formats):
        address = f"mailto://127.0.0.1:{port}/?from=bsc@example.com&name=Scorecard&to={to}"
        report = Report("monthly", "it", "Board report", PeriodKind.MONTH, "0 7 2 * *", formats, ("board",))
        self.now = SLOT - timedelta(days=1)
        self.store = store
        self.configuration = Configuration(
            organisation=site.organisation(), reports={"monthly": report},
            receivers={"board": Receiver("board", apprise=(SecretStr(address),))},
        )  # fmt: skip
        self.extensions = SimpleNamespace(receivers={})
        self.address = "http://board.example.com"
        self.reports = Reports(self)

    def clock(self):
        return self.now

    async def look(self, after=timedelta(0)):
        self.now += after
        await self.reports.look()


@pytest.fixture
def store(tmp_path):
    opened = site.open_store(tmp_path / "r.db")
    yield opened
    opened.close()


def attached(message):
    return {part.get_filename(): part for part in message.iter_attachments()}


async def test_a_scheduled_report_is_a_mail_with_its_formats_attached(store):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com", ("html", "pdf", "xlsx", "csv"))
        await desk.look()
        await desk.look(timedelta(days=1, minutes=5))
        [(recipients, message)] = inbox.got

        assert recipients == ["cio@example.com"]
        assert re.fullmatch(r"Board report: \d+ of 100, May 2026", message["Subject"])
        assert (message["From"], message["To"]) == ("Scorecard <bsc@example.com>", "cio@example.com")
        assert message["Date"].datetime == desk.now
        assert message["Auto-Submitted"] == "auto-generated"
        assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", message["Message-ID"])
        headers = [name for name, _ in message.items()]
        assert len(headers) == len(set(headers))
        html, plain = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
        assert "What needs a decision" in html
        assert f"{desk.address}/reports/it/2026-05.html" in plain
        assert all(said in plain for said in ("May 2026", "Financial: "))
        assert {name: part.get_content_type() for name, part in attached(message).items()} == {
            "it-2026-05.pdf": "application/pdf", "it-2026-05.csv": "text/csv",
            "it-2026-05.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparkline Group")  # Excel draws them
def test_what_is_attached_opens_and_says_the_same(store, tmp_path):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com", ("pdf", "xlsx"))
        asyncio.run(desk.look())
        asyncio.run(desk.look(timedelta(days=1, minutes=5)))
        files = attached(inbox.got[0][1])
    book = openpyxl.load_workbook(io.BytesIO(files["it-2026-05.xlsx"].get_content()))
    assert book.sheetnames == ["Summary", "KPIs", "Findings", "Initiatives", "Courses"]
    assert [row[0].value for row in book["KPIs"].iter_rows(min_row=2)]
    pdf = tmp_path / "r.pdf"
    pdf.write_bytes(files["it-2026-05.pdf"].get_content())
    assert pdf.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdftotext"):
        told = subprocess.run(["pdftotext", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
        assert "IT department" in told
        assert "May 2026" in told


async def test_a_mail_server_out_of_reach_gets_the_very_same_mail_later_and_once(store):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com", ("pdf",))
        await desk.look()
        inbox.answer = "451 come back later"
        await desk.look(timedelta(days=1, minutes=5))
        [waiting] = store.read_now(lambda connection: sendings(connection, limit=9))
        assert (waiting.attempts, waiting.dead, waiting.delivered_at) == (1, False, None)
        assert "451 come back later" in waiting.error
        inbox.answer = "250 OK"
        await desk.look(timedelta(seconds=5))
        assert inbox.got == []  # it waits before it tries again
        await desk.look(timedelta(minutes=2))
        await desk.look(timedelta(minutes=2))
        await desk.look(timedelta(days=3))
        assert len(inbox.got) == 1
    kinds = [event.kind for event in store.read_now(lambda connection: events(connection, subject="monthly"))]
    assert sorted(kinds) == ["report_due", "report_sent"]


async def test_who_has_it_does_not_get_it_again_when_another_was_refused(store):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com,cfo@example.com", ("html",))
        inbox.refused["cfo@example.com"] = "450 mailbox busy"
        await desk.look()
        await desk.look(timedelta(days=1, minutes=5))
        [waiting] = store.read_now(lambda connection: sendings(connection, limit=9))
        assert waiting.error == "cfo@example.com: 450 mailbox busy"
        inbox.refused.clear()
        await desk.look(timedelta(minutes=5))
        assert [recipients for recipients, _ in inbox.got] == [["cio@example.com"], ["cfo@example.com"]]
        assert inbox.got[0][1]["Message-ID"] == inbox.got[1][1]["Message-ID"]


async def test_a_copy_that_was_refused_is_not_forgotten_once_the_others_have_theirs(store):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com&cc=cfo@example.com", ("html",))
        inbox.refused["cfo@example.com"] = "450 mailbox busy"
        await desk.look()
        await desk.look(timedelta(days=1, minutes=5))
        inbox.refused.clear()
        await desk.look(timedelta(minutes=5))
        assert [recipients for recipients, _ in inbox.got] == [["cio@example.com"], ["cfo@example.com"]]
        [sent] = store.read_now(lambda connection: sendings(connection, limit=9))
        assert sent.delivered_at is not None


async def test_a_fault_in_sending_is_counted_and_tried_again_later(store, monkeypatch):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com", ("html",))
        await desk.look()
        with monkeypatch.context() as broken:
            broken.setattr("bsc_monitor.service.reports.send", mock.AsyncMock(side_effect=RuntimeError))
            await desk.look(timedelta(days=1, minutes=5))
        [waiting] = store.read_now(lambda connection: sendings(connection, limit=9))
        assert (waiting.attempts, waiting.error) == (1, "RuntimeError in the sender")
        await desk.look(timedelta(minutes=5))
        assert len(inbox.got) == 1


async def test_what_was_mailed_and_could_not_be_noted_is_not_mailed_again(store, monkeypatch):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com", ("html",))
        await desk.look()
        with monkeypatch.context() as broken:
            broken.setattr(desk.reports, "_sent", mock.AsyncMock(side_effect=OSError("the database is away")))
            with pytest.raises(OSError, match="away"):
                await desk.look(timedelta(days=1, minutes=5))
        await desk.look(timedelta(minutes=5))
        [sent] = store.read_now(lambda connection: sendings(connection, limit=9))
        assert sent.delivered_at is not None
        assert len(inbox.got) == 1


async def test_a_mail_tried_again_after_a_restart_is_the_same_mail_to_mail_programs(store):
    with smtp() as (inbox, port):
        desk = Desk(store, port, "cio@example.com,cfo@example.com", ("html",))
        inbox.refused["cfo@example.com"] = "450 mailbox busy"
        await desk.look()
        await desk.look(timedelta(days=1, minutes=5))
        desk.reports = Reports(desk)  # what was in memory is gone
        inbox.refused.clear()
        await desk.look(timedelta(minutes=5))
        assert len({message["Message-ID"] for _, message in inbox.got}) == 1


CONFIG = """
[service]
listen = "{host}:{free}"
database = "sqlite:///{folder}/c.db"
[scorecards.it]
title = "IT department"
[objectives.restore]
scorecard = "it"
perspective = "internal_process"
[kpis.mttr]
objective = "restore"
title = "Mean time to resolve"
source = "manual"
unit = "h"
better = "lower"
target = 20
red = 60
owner = "ops@example.com"
[receivers.board]
apprise = ["mailto://127.0.0.1:{port}/?from=bsc@example.com&to=cio@example.com"]
"""


@pytest.fixture
def folder(tmp_path):
    period = previous(period_at(datetime.now(UTC), PeriodKind.MONTH, Calendar()), Calendar())
    value = PeriodValue(
        "it/mttr", period, value=26.0, samples=9, state=ReadingState.OK, observed_at=period.end,
        thresholds=Thresholds(20.0, 60.0), score=50.0, status=Status.AMBER, closed_at=period.end,
    )  # fmt: skip
    store = Store.open(f"sqlite:///{tmp_path / 'c.db'}")
    store.write_now(lambda connection: save_values(connection, [value]))
    store.close()
    return tmp_path


def run(folder, port, *more, host="127.0.0.1"):
    config = folder / "config.toml"
    config.write_text(CONFIG.format(host=host, free=free_port(), folder=folder, port=port))
    return CliRunner().invoke(build_app(), ["report", "it", "--config", str(config), *more])


def test_a_report_is_mailed_by_command(folder):
    with smtp() as (inbox, port):
        result = run(folder, port, "--to", "board", "-f", "pdf", "-f", "xlsx", "--owner", "ops@example.com")
        assert result.exit_code == 0, result.output
        assert result.output.startswith("board: delivered; not final")
        [(_, message)] = inbox.got
        assert message["Subject"].startswith("IT department: ops@example.com, ")
        assert [re.sub(r"\d", "9", name) for name in attached(message)] == ["it-9999-99-ops.pdf", "it-9999-99-ops.xlsx"]


def test_a_report_mailed_by_command_leads_to_a_board_that_listens_on_an_address_of_ipv6(folder):
    with smtp() as (inbox, port):
        assert run(folder, port, "--to", "board", host="[::1]").exit_code == 0
        [(_, message)] = inbox.got
        assert re.search(r'href="http://\[::1\]:\d+["/]', message.get_body(("html",)).get_content())


def test_a_mail_that_is_not_taken_is_said_and_ends_in_failure(folder):
    with smtp() as (inbox, port):
        inbox.answer = "554 no reports here"
        result = run(folder, port, "--to", "board")
        assert result.exit_code == 1
        assert "554 no reports here" in result.output


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--to", "nobody"], "there is no receiver 'nobody'; there is board"),
        (["--to", "board", "--out", "x.pdf"], "--out is for one format"),
        (["-f", "pdf", "-f", "csv", "--out", "x.pdf"], "--out is for one format"),
        (["-f", "docx"], "there is no format 'docx'; there is html"),
        (["--period", "soon"], "'soon' is no period: write 2026, 2026-Q2"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_made(folder, more, words):
    result = run(folder, 1, *more)
    assert result.exit_code == 2
    assert words in " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split())
