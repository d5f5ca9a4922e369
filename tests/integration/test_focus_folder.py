"""A configuration whose sandbox writes a FOCUS export, read by a source of the same service."""

from tests.servers import wait_until
from tests.service_process import running

CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
[sandbox]
port = {sandbox}
focus_folder = "focus-export"
[sources.bills]
plugin = "focus"
path = "focus-export"
[scorecards.it]
title = "IT"
[objectives.o]
scorecard = "it"
perspective = "financial"
title = "O"
[kpis.azure-savings]
objective = "o"
source = "bills"
measure = "savings_realised"
params = { where = { provider = "Microsoft" } }
unit = "EUR"
target = 3000
red = 0
"""


def test_the_sandboxs_export_is_read_by_a_focus_source_of_the_same_configuration(tmp_path):
    with running(tmp_path, CONFIG) as service:
        wait_until(lambda: any(v > 0 for v in service.metrics("bsc_kpi_value{").values()), "savings on /metrics", 90)
    months = sorted(path.name for path in (tmp_path / "focus-export").iterdir())
    assert len([name for name in months if name.startswith("Microsoft-")]) >= 18
