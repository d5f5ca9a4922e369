"""alerts, ack, silence, notify test and test, as a person uses them."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import typer
from tests.servers import free_port
from typer.testing import CliRunner

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.alert.routing import Routing
from bsc_monitor.cli import ack, alerts, comment, maintenance, notify, rule_test, silence
from bsc_monitor.cli.frame import load_all
from bsc_monitor.cli.rule_file import STALE, RuleTestError, parse_series, parse_values
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.store import Store, read_only
from bsc_monitor.store.alerts import commit_effects
from bsc_monitor.store.controls import load_comments
from bsc_monitor.store.events import events

CONFIG = """
[service]
database = "sqlite:///bsc.db"
[scorecards.it]
title = "IT"
[objectives.restore-fast]
scorecard = "it"
perspective = "internal_process"
title = "Restore fast"
[kpis.mttr]
objective = "restore-fast"
title = "Time to restore"
unit = "h"
better = "lower"
target = 4
red = 8
period = "day"
[alerts.kpi-red]
when = "breach"
for = "30m"
severity = "critical"
[receivers.ops]
webhook = { url = "http://127.0.0.1:PORT/" }
[routes.default]
receivers = ["ops"]
group_wait = "30s"
"""
STORY = """
evaluation_interval: 10m
tests:
  - name: a breach is told after half an hour
    input_series:
      - {series: it/mttr, values: '3x2 9x5 3x20'}
    kpi_status_test:
      - {eval_time: 20m, kpi: it/mttr, exp_status: green}
      - {eval_time: 30m, kpi: it/mttr, exp_status: STATUS, exp_value: 9}
    alert_rule_test:
      - {eval_time: 50m, alertname: kpi-red, exp_alerts: [{exp_state: pending}]}
      - {eval_time: 60m, alertname: kpi-red, exp_alerts: [{exp_labels: {kpi: mttr, severity: critical}}]}
      - {eval_time: 100m, alertname: kpi-red}
    notification_test:
      - eval_time: 2h
        receiver: ops
        exp_notifications:
          - {at: 60m30s, exp_status: firing, exp_alerts: [{kpi: mttr}]}
          - {exp_status: resolved}
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.replace("PORT", str(free_port())))
    return file


@pytest.fixture
def run(config):
    app = typer.Typer()
    for module in (alerts, ack, comment, silence, maintenance, notify, rule_test):
        module.register(app)

    def call(*words, code=0):
        result = CliRunner().invoke(app, [*map(str, words), "--config", str(config)])
        assert result.exit_code == code, result.output
        return result.output

    return call


@pytest.fixture
def receiver():
    """The port of a webhook, and what it takes."""
    taken = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, taken
    server.shutdown()
    server.server_close()


@pytest.fixture
def firing(config):
    configuration, _ = load_all(config)
    engine, now = AlertEngine(configuration.alert_rules, configuration.organisation), datetime.now(UTC)
    seen = Judgement("it/mttr", 9.5, status=Status.RED, freshness=Freshness.FRESH, observed_at=now)
    effects = engine.observe([seen], [], now - timedelta(hours=2)) + engine.tick(now)
    store = Store.open(configuration.service.database)
    store.write_now(lambda c: commit_effects(c, effects, Routing(configuration.routes, configuration.receivers), now))
    store.close()
    return next(alert for alert in engine.firing() if alert.rule == "kpi-red")


def trail(config):
    configuration, _ = load_all(config)
    found = read_only(configuration.service.database, lambda connection: events(connection))
    return [(event.kind, event.data["author"]) for event in reversed(found)]


def test_a_comment_is_kept_with_its_author_beside_the_kpi(run, config):
    run("comment", "it/mttr", "the data centre moved", "--author", "ada")
    configuration, _ = load_all(config)
    (said,) = read_only(configuration.service.database, lambda connection: load_comments(connection, "kpi:it/mttr"))
    assert (said.author, said.text) == ("ada", "the data centre moved")
    assert trail(config) == [("comment", "ada")]


@pytest.mark.parametrize("said", ["mttr", "kpi:it/mttr"])
def test_a_comment_reaches_a_kpi_by_its_short_name_too(run, said):
    assert "written to kpi:it/mttr" in run("comment", said, "x")


def test_a_comment_on_what_there_is_not_is_refused_in_words_with_near_names(run, config):
    told = flat(run("comment", "mtrr", "x", code=2))
    assert "there is nothing 'mtrr' to comment on; did you mean 'mttr'? Write the name of a KPI (it/mttr)" in told
    told = flat(run("comment", "nope", "x", code=2))
    assert "there is nothing 'nope' to comment on. Write the name of a KPI (it/mttr)" in told
    assert "[a-z" not in told
    assert "there is nothing 'ffffffff'" in flat(run("comment", "ffffffff", "x", code=2))


def test_a_comment_on_an_alert_is_kept_under_its_whole_id(run, firing, config):
    named = f"alert:{firing.fingerprint}"
    assert f"written to {named}" in run("comment", firing.fingerprint[:8], "known since Monday")
    configuration, _ = load_all(config)
    (said,) = read_only(configuration.service.database, lambda connection: load_comments(connection, named))
    assert said.text == "known since Monday"


def test_alerts_are_listed_with_what_people_did_about_them(run, firing, config):
    assert "Time to restore (it)" in run("alerts")
    run("ack", firing.fingerprint[:8], "--note", "rolling back", "--author", "ann")
    name = run("silence", "add", "kpi=~m.*", "--for", "2h", "-m", "patch day", "--author", "bob").split()[0]
    (shown,) = json.loads(run("alerts", "severity=critical", "--json"))
    assert shown["status"] == {"state": "suppressed", "silencedBy": [name], "inhibitedBy": [], "mutedBy": []}
    assert shown["acknowledgedBy"] == "ann"
    assert json.loads(run("silence", "list", "--json"))[0]["matchers"] == [
        {"name": "kpi", "value": "m.*", "isRegex": True, "isEqual": True}
    ]
    run("silence", "expire", name, "--author", "bob")
    assert json.loads(run("alerts", "--json", "kpi=mttr"))[0]["status"]["state"] == "active"
    assert trail(config) == [("alert_acknowledged", "ann"), ("silence_created", "bob"), ("silence_expired", "bob")]
    assert run("alerts", "kpi=other").splitlines()[2:] == [
        "no alert is pending or firing",
        "warning: nothing is called 'other' now; there is mttr",
    ]


def test_a_silence_and_a_window_for_what_there_is_not_are_made_with_a_warning(run, config):
    told = run("silence", "add", "kpi=mttrr", "--for", "2h")
    assert "warning: nothing is called 'mttrr' now; did you mean 'mttr'?" in told
    assert "kpi=mttrr" in run("silence", "list")
    made = json.loads(run("silence", "add", "kpi=mttrr", "--json"))
    assert made["warnings"] == ["nothing is called 'mttrr' now; did you mean 'mttr'?"]
    assert made["silenceID"] in run("silence", "list")
    assert json.loads(run("silence", "add", "kpi=mttr", "alert=kpi-red", "--json"))["warnings"] == []
    assert "warning: nothing has the severity 'critcal' now" in run(
        "maintenance", "add", "patch-day", "severity=critcal", *WINDOW
    )
    window = json.loads(run("maintenance", "add", "nightly", "kpi=x", *WINDOW, "--json"))
    assert (window["id"], window["warnings"]) == ("nightly", ["nothing is called 'x' now; there is mttr"])
    assert "warning" not in run("maintenance", "add", "right", "scorecard=it", *WINDOW)


def test_alerts_without_a_service_say_so_and_show_no_sign_of_life(run, firing, config):
    told = run("alerts")
    assert told.startswith("The service is not running: what follows is as it was left, and nobody watches.\n")
    assert f"bsc-monitor run --config {config}" in told
    assert "Time to restore" in told
    assert "Watchdog" not in told
    assert "Watchdog" not in run("alerts", "--json")
    store = Store.open(load_all(config)[0].service.database)  # as a service does
    try:
        told = run("alerts")
        assert "not running" not in told
        assert "Watchdog" in told
        assert "Watchdog" in run("alerts", "--json")
    finally:
        store.close()


WINDOW = ("--cron", "* * * * *", "--for", "2h", "-m", "patches", "--author", "bob")


def test_a_maintenance_window_is_opened_listed_and_ended(run, firing, config):
    config.write_text(config.read_text() + '[maintenance.nightly]\ncron = "0 3 * * *"\nlasts = "1h"\n')
    assert run("maintenance", "add", "patch-day", "kpi=~m.*", *WINDOW).startswith("patch-day open until ")
    assert json.loads(run("alerts", "--json", "kpi=mttr"))[0]["status"]["mutedBy"] == ["patch-day"]
    told = run("maintenance", "list")
    assert "nightly  everything" in told
    assert re.search(r"of the configuration file \(.*config\.toml:\d+\)", told)
    assert "patch-day  kpi=~m.*\n  * * * * * UTC, for 2h; open until" in told
    assert "  by bob: patches" in told
    configured, own = json.loads(run("maintenance", "list", "--json"))
    assert (configured["origin"], configured["openUntil"], own["origin"], own["endsAt"]) == (
        "configuration", None, "person", None,
    )  # fmt: skip
    run("maintenance", "end", "patch-day", "--author", "ann")
    assert json.loads(run("alerts", "--json", "kpi=mttr"))[0]["status"]["mutedBy"] == []
    assert trail(config) == [("maintenance_opened", "bob"), ("maintenance_ended", "ann")]
    assert "configuration file's" in flat(run("maintenance", "end", "nightly", code=2))
    assert "there is no window 'patch-day'" in flat(run("maintenance", "end", "patch-day", code=2))
    assert "4 fields instead of 5" in flat(
        run("maintenance", "add", "x", "kpi=mttr", "--cron", "* * * *", "--for", "1h", code=2)
    )


def test_a_silence_is_listed_in_full_on_a_narrow_terminal_and_ended_by_the_beginning_of_its_id(
    run, firing, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    many = ["scorecard=it", "kpi=~mttr|mttd|change-failure-rate|lead-time", "severity!=critical", "source=itsm"]
    why = "the data centre moves to the other side of the river, and all of its racks with it"
    name = run("silence", "add", *many, "--for", "2h", "-m", why, "--author", "bob").split()[0]
    told = run("silence", "list")
    assert all(word in told for word in (name, *many, why, "by bob", "2 h from now"))
    run("silence", "expire", name[:8])
    assert run("silence", "list").strip() == "nothing is silenced"


def flat(output):
    """What a box of several lines says."""
    return " ".join(output.replace("│", " ").split())


def test_an_alert_that_is_not_there_is_said_with_those_that_could_be_meant(run, firing):
    told = flat(run("ack", "zzz", code=2))
    assert f"there is no alert 'zzz'; firing now: {firing.fingerprint} (Time to restore)" in told


def test_mistakes_are_told_in_words(run, firing):
    assert "there is no alert" in run("ack", "ffffffff", code=2)
    assert "is no matcher" in run("silence", "add", "mttr", code=2)
    assert "must not match everything" in run("silence", "add", "kpi=~.*", code=2)
    assert "there is no silence" in run("silence", "expire", "x", code=2)
    assert "there is no route" in run("notify", "test", "nowhere", code=2)


def test_a_test_message_says_how_it_went(run):
    assert "ops: no connection" in run("notify", "test", "default", code=1)


@pytest.mark.parametrize(
    ("service", "board"),
    [
        ('listen = "127.0.0.1:9877"', "http://127.0.0.1:9877"),
        ('listen = "[::1]:9877"', "http://[::1]:9877"),
        ('url = "https://board.example.com/"', "https://board.example.com/"),
    ],
)
def test_a_test_message_leads_to_the_board(run, config, receiver, service, board):
    port, taken = receiver
    text = CONFIG.replace("PORT", str(port)).replace("[service]", f"[service]\n{service}")
    config.write_text(text)
    assert "ops: delivered" in run("notify", "test", "default")
    assert [json.loads(body)["externalURL"] for body in taken] == [board]


def test_rule_tests_succeed_or_say_what_differs(run, tmp_path):
    file = tmp_path / "rules_test.yml"
    file.write_text(STORY.replace("STATUS", "red"))
    assert f"{file}: SUCCESS (1 tests)" in run("test", file)
    file.write_text(STORY.replace("STATUS", "amber").replace("60m30s", "61m"))
    output = run("test", file, code=1)
    assert "status of it/mttr\n    expected: amber\n    got:      red" in output
    assert "notifications of ops" in output
    file.write_text("tests: [{input_series: [{series: it/nothing, values: '1'}]}]")
    assert "there is no KPI 'it/nothing'" in run("test", file, code=1)
    file.write_text("tests: [{surprise: 1}]")
    assert "surprise" in run("test", file, code=1)


def test_series_are_written_as_promtool_reads_them():
    assert parse_values("0+1x3 5x2 10-2.5x2 _ _x2 stale -1e2") == [
        0, 1, 2, 3, 5, 5, 5, 10, 7.5, 5, None, None, None, STALE, -100,
    ]  # fmt: skip
    assert parse_series('bsc_kpi_value{scorecard="it", kpi="mttr"}').name == "it/mttr"
    assert parse_series('bsc_collector_up{source="a",measure="b"}').kind == "collector"
    for wrong in ("1y2", "0+1x", "NaN", "1e999"):
        with pytest.raises(RuleTestError):
            parse_values(wrong)
