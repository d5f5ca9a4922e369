"""The real service over the sandbox's generated company, as a process: 18 months collected, then healthy, then sick.

Between the two the configuration is exchanged, as a person would: thresholds, an initiative's due day, a password, a
rule for what is stale. The company's story begins 18 months ago, so its end is the same whenever the tests run.
"""

import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.servers import wait_until
from tests.service_process import running

TODAY = datetime.now(UTC).date()
MONTH = TODAY.replace(day=1)
EARLIER = (MONTH - timedelta(days=50)).replace(day=1)  #: since then request-time is judged as it is now

COMPANY = f"""
[service]
listen = "127.0.0.1:{{port}}"
database = "sqlite:///bsc.db"
[sandbox]
port = {{sandbox}}

[sources.itsm]
plugin = "servicenow"
url = "http://127.0.0.1:{{sandbox}}/servicenow"
username = "demo"
password = "demo"
every = "4s"
requests_per_second = 500
[sources.cloud]
plugin = "aws_cost"
url = "http://127.0.0.1:{{sandbox}}/aws"
access_key_id = "demo"
secret_access_key = "demo"
account_id = "111122223333"
every = "4s"
requests_per_second = 500
daily_budget = 500.0
[sources.staff]
plugin = "training"
url = "http://127.0.0.1:{{sandbox}}/people"
token = "demo"
every = "1h"
requests_per_second = 500

[scorecards.company]
[objectives.grow]
scorecard = "company"
perspective = "financial"
[kpis.untagged-cost]
objective = "grow"
source = "cloud"
measure = "untagged_share"
params = {{ tag = "team" }}
unit = "%"
better = "lower"
red = 60
target = 40

[scorecards.it]
parent = "company"
[objectives.spend-wisely]
scorecard = "it"
perspective = "financial"
supports = "company/grow"
[objectives.happy-users]
scorecard = "it"
perspective = "customer"
drives = ["spend-wisely"]
[objectives.prompt-requests]
scorecard = "it"
perspective = "internal_process"
drives = ["happy-users", "spend-wisely"]
[objectives.skilled-people]
scorecard = "it"
perspective = "learning_growth"
drives = ["prompt-requests"]

[kpis.coverage]
objective = "grow"
source = "cloud"
measure = "commitment_coverage"
unit = "%"
red = 20
target = 40
leading = true
[kpis.cost-of-waiting]
objective = "spend-wisely"
formula = "request_time * 25"
unit = "EUR"
better = "lower"
red = 5000
target = 2500
[kpis.user-satisfaction]
objective = "happy-users"
source = "itsm"
measure = "csat"
unit = "points"
red = 40
target = 60
[kpis.service-levels]
objective = "happy-users"
source = "itsm"
measure = "sla_met_ratio"
unit = "%"
red = 80
target = 90
owner = "desk"
[kpis.request-time]
objective = "prompt-requests"
title = "Time to fulfil a request"
source = "itsm"
measure = "request_fulfilment_time"
by = ["assignment_group"]
unit = "h"
better = "lower"
baseline = 100
red = [{{ from = 2000-01-01, red = 8, target = 4 }}, {{ from = {EARLIER}, red = 66, target = 64 }}]
severity = "warning"
owner = "ops"
[kpis.certificates]
objective = "skilled-people"
source = "staff"
measure = "certification_coverage"
unit = "%"
red = 20
target = 40
leading = true
stale_after = "3h"

[initiatives.swarm]
title = "Swarm on what waits"
for = ["request-time"]
owner = "ops"
start = {MONTH - timedelta(days=40)}
due = {TODAY + timedelta(days=20)}
progress = 0.4

[alerts.red]
when = "breach"
severity = "critical"
[alerts.source]
when = "collector"
[receivers.mail]
webhook = {{ url = "http://127.0.0.1:9/" }}
[routes.default]
receivers = ["mail"]
group_wait = "0s"
group_interval = "1s"
"""

#: What goes wrong, as (in the healthy configuration, in the sick one).
ILLS = (
    (f"{EARLIER}, red = 66, target = 64 }}]", f"{EARLIER}, red = 66, target = 64 }}, {{ from = {MONTH}, red = 8, target = 4 }}]"),
    (f"due = {TODAY + timedelta(days=20)}", f"due = {TODAY - timedelta(days=10)}"),
    ('secret_access_key = "demo"', 'secret_access_key = "wrong"'),
    ('stale_after = "3h"', 'stale_after = "1s"'),
)  # fmt: skip


class Live:
    """The running service and its configuration."""

    def __init__(self, service):
        self.service = service
        self.address = f"127.0.0.1:{service.port}"

    def back_fill(self, folder):
        """Write what was collected of the past into a Prometheus' data folder, as the documentation says to."""
        tool = [sys.executable, "-m", "bsc_monitor", "export", "openmetrics", "--config", self.service.config]
        subprocess.run([*tool, "--instance", self.address, "-o", folder / "past.om"], check=True, capture_output=True)
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h", "openmetrics", "past.om", "data"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip

    def sicken(self):
        """Exchange the configuration, and wait until the service has found all that is wrong."""
        text = self.service.config.read_text()
        for well, ill in ILLS:
            assert well in text
            text = text.replace(well, ill)
        self.service.config.write_text(text)
        wait_until(self._is_sick, "a breach, a stale KPI, a failing source, a late initiative, a receiver that refuses")

    def _is_sick(self):
        found = self.service.metrics("bsc_")

        def some(pattern, value):
            return any(number == value for series, number in found.items() if re.match(pattern, series))

        return (
            some(r'bsc_kpi_status_code\{.*"request-time"', 3)
            and some(r'bsc_kpi_freshness_code\{.*"certificates"', 1)
            and some(r'bsc_collector_up\{.*"cloud"', 0)
            and some(r"bsc_alert_firing\{.*", 1)
            and any(number > 0 for series, number in found.items() if series.startswith("bsc_notification_failures"))
        )


@contextmanager
def alive(folder):
    """The service with its company's past collected, frozen and looked through for insights."""
    with running(folder, COMPANY) as service:

        def understood():
            known = service.json("/api/v1/backfill")
            done = known["total"] > 0 and not known["running"] and known["done"] == known["total"]
            quarter = f"{MONTH - timedelta(days=100):%Y-%m}"
            frozen = done and service.json(f"/api/v1/scorecards/it?at={quarter}")["score"] is not None
            return frozen and service.metrics("bsc_insight_active") and service.metrics("bsc_link_correlation_ratio")

        wait_until(understood, "the collection of the past", 120)
        yield Live(service)
