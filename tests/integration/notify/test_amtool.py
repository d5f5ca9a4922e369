"""The real service asked by Debian's amtool, and its answers held against Alertmanager's own description."""

import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.servers import wait_until
from tests.service_process import ROOT, running

CONTRACT = (
    Path(os.environ.get("BSC_SHARED", ROOT.parent / "shared")) / "contracts/prometheus/alertmanager-v2-openapi.yaml"
)
CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
auth = "web.toml"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.mttr]
objective = "o"
title = "Time to restore"
source = "manual"
unit = "h"
better = "lower"
target = 4
red = 8
[kpis.quiet]
objective = "o"
source = "manual"
unit = "h"
better = "lower"
target = 4
red = 8
[alerts.kpi-red]
when = "breach"
severity = "critical"
[maintenance.always]
cron = "* * * * *"
lasts = "1h"
match = { kpi = "quiet" }
[receivers.ops]
webhook = { url = "http://127.0.0.1:9/" }
[receivers.boss]
webhook = { url = "http://127.0.0.1:9/" }
[routes.critical]
receivers = ["ops", "boss"]
match = { severity = "critical" }
group_by = ["scorecard"]
"""
TOKENS = {"operator": "let the operator in", "viewer": "let the viewer in"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("amtool")
    lines = []
    for role, token in TOKENS.items():
        lines += [f"[tokens.{role}]", f'sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"', f'role = "{role}"']
        (folder / f"{role}.yml").write_text(f"authorization: {{credentials: {token}}}\n")
    (folder / "web.toml").write_text("\n".join(lines))
    with running(folder, CONFIG) as one:
        for kpi in ("mttr", "quiet"):
            headers = {"Authorization": f"Bearer {TOKENS['operator']}"}
            assert one.post(f"/api/v1/kpis/it/{kpi}/readings", {"value": 9.5}, headers)[0] == 201
        wait_until(lambda: len(ask(one, "/api/v2/alerts", filter='alertname="kpi-red"')) == 2, "both alerts", 30)
        yield one


def ask(service, path, **params):
    """The JSON of an answer, as the viewer may see it."""
    url = f"{service.url}{path}?{urllib.parse.urlencode(params, doseq=True)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKENS['viewer']}"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


def amtool(service, *words, role="viewer", code=0):
    """What amtool prints."""
    command = ["amtool", f"--alertmanager.url={service.url}", *words, "--no-version-check",
               f"--http.config.file={service.config.parent / f'{role}.yml'}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_amtool_shows_what_fires_and_can_ask_for_some_of_it(service):
    (shown,) = json.loads(amtool(service, "alert", "query", "kpi=mttr", "-o", "json"))
    assert shown["labels"]["alertname"] == "kpi-red"
    assert shown["annotations"]["summary"] == "Time to restore"
    assert {each["name"] for each in shown["receivers"]} == {"ops", "boss"}
    told = amtool(service, "alert", "query", "severity=~crit.*", 'alertname!="other"')
    assert "kpi-red" in told
    assert "Time to restore" in told
    assert "kpi-red" not in amtool(service, "alert", "query", "kpi!~m.*|q.*", "kpi=~.+")
    assert "kpi-red" in amtool(service, "alert", "query", "kpi=mttr", "--receiver", "b.*")
    assert "kpi-red" not in amtool(service, "alert", "query", "kpi=mttr", "--receiver", "bo")


def test_amtool_silences_lists_and_ends(service):
    name = amtool(service, "silence", "add", "kpi=mttr", "-c", "rolling back", "-d", "2h", role="operator").strip()
    assert name in amtool(service, "silence", "query", "-q")
    (kept,) = json.loads(amtool(service, "silence", "query", "kpi=mttr", "-o", "json"))
    assert (kept["createdBy"], kept["comment"], kept["status"]["state"]) == ("operator", "rolling back", "active")
    assert json.loads(amtool(service, "alert", "query", "kpi=mttr", "-o", "json")) == []
    (held,) = json.loads(amtool(service, "alert", "query", "--silenced", "kpi=mttr", "-o", "json"))
    assert held["status"]["silencedBy"] == [name]
    amtool(service, "silence", "expire", name, role="operator")
    assert json.loads(amtool(service, "silence", "query", "-o", "json")) == []
    assert name in amtool(service, "silence", "query", "--expired", "-q")
    assert len(json.loads(amtool(service, "alert", "query", "kpi=mttr", "-o", "json"))) == 1


def test_amtool_is_refused_without_the_role_and_in_words(service):
    assert "(status 403)" in amtool(service, "silence", "add", "kpi=mttr", "-c", "why", code=1)
    told = amtool(service, "silence", "add", "kpi=~.*", "-c", "why", role="operator", code=1)
    assert "must not match everything" in told
    assert service.status("/api/v2/alerts") == 401


@pytest.mark.parametrize("given", ["severity", "kpi=~(", '{kpi="a"', "=b"])
def test_a_filter_that_is_none_is_refused_as_an_alertmanager_does(service, given):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(service, "/api/v2/alerts", filter=given)
    with refused.value as answer:
        assert answer.code == 400
        assert isinstance(json.loads(answer.read()), str)


def test_a_filters_value_is_read_with_its_quotes_and_escapes(service):
    assert len(ask(service, "/api/v2/alerts", filter='kpi="mttr"')) == 1
    assert len(ask(service, "/api/v2/alerts", filter=["kpi=mttr", '{scorecard="it"}'])) == 1
    assert ask(service, "/api/v2/alerts", filter=r'kpi="mt\"tr"') == []


def test_groups_are_those_in_which_receivers_are_told(service):
    groups = [each for each in ask(service, "/api/v2/alerts/groups") if each["receiver"]["name"] != "board"]
    assert [(each["receiver"]["name"], each["labels"]) for each in groups] == [
        ("boss", {"scorecard": "it"}), ("ops", {"scorecard": "it"}),
    ]  # fmt: skip
    assert [{alert["labels"]["kpi"] for alert in each["alerts"]} for each in groups] == [{"mttr", "quiet"}] * 2
    unmuted = ask(service, "/api/v2/alerts/groups", muted="false", receiver="ops")
    assert [[alert["labels"]["kpi"] for alert in each["alerts"]] for each in unmuted] == [["mttr"]]


@pytest.mark.parametrize(
    "path", ["/alerts", "/alerts/groups", "/silences", "/status", "/receivers", "/silence/{silenceID}"]
)
def test_answers_are_as_alertmanagers_own_description_says(service, path):
    if not CONTRACT.exists():
        pytest.skip(f"{CONTRACT.name} is not beside this checkout")
    described = yaml.safe_load(CONTRACT.read_text())
    name = amtool(service, "silence", "add", "kpi=other", "-c", "one to look at", role="operator").strip()
    answer = ask(service, f"/api/v2{path}".replace("{silenceID}", name))
    assert answer
    schema = {**described["paths"][path]["get"]["responses"]["200"]["schema"], "definitions": described["definitions"]}
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer)
