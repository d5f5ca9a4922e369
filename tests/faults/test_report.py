"""``kill -9`` amid a scheduled report: it is made once and told under one key, whatever died in between."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.faults.receiver import Receiver
from tests.faults.rig import Rig
from tests.faults.test_kill import die_at
from tests.servers import wait_until

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status
from bsc_monitor.score.periods import period_at, previous
from bsc_monitor.store import Store
from bsc_monitor.store.periods import save_values
from bsc_monitor.store.reports import begin_run

POINTS = ["report_taken", "report_made", "report_kept", "report_sending", "report_sent", "report_marked"]
ONCE = ("report_made", "report_kept")  #: passed only while a report is not on its shelf yet
SCHEDULED = """
[reports.{name}]
scorecard = "it"
period = "month"
at = "0 7 {slot.day} {slot.month} *"
formats = ["html", "xlsx"]
to = ["told"]
"""


def closed(before, count=3):
    """The closed months before an instant, and a value of each."""
    period = period_at(before, PeriodKind.MONTH, Calendar())
    for _ in range(count):
        period = previous(period, Calendar())
        yield PeriodValue(
            "it/k0", period, value=5.0, samples=9, state=ReadingState.OK, observed_at=period.end - timedelta(hours=1),
            thresholds=Thresholds(0.0, 10.0), score=50.0, status=Status.AMBER, closed_at=period.end + timedelta(days=1),
        )  # fmt: skip


def put(rig, *work):
    store = Store.open(rig.database)
    for each in work:
        store.write_now(each)
    store.close()


def schedule(rig, months, name, slot):
    """A report that was seen last before its slot: it is due as soon as the service runs."""
    rig.put(months + SCHEDULED.format(name=name, slot=slot))
    seen = slot - timedelta(days=30)
    put(rig, lambda connection: begin_run(connection, name, seen, "", seen, ()))


def kept(rig):
    """What is on the shelf: the report's words, and its files' bytes."""
    return (
        rig.query("SELECT label, owner, data, made_at FROM report"),
        rig.query("SELECT format, content FROM report_rendering ORDER BY format"),
    )


def empty_shelf(rig):
    put(
        rig,
        lambda connection: connection.exec_driver_sql("DELETE FROM report"),
        lambda connection: connection.exec_driver_sql("DELETE FROM report_rendering"),
    )


def counted(rig, kind):
    return dict(rig.query(f"SELECT subject, count(*) FROM event WHERE kind = '{kind}' GROUP BY subject"))


def test_a_kill_amid_a_report_has_it_made_once_and_told_under_one_key(tmp_path, nursery, often, figures):
    slot = (datetime.now(UTC) - timedelta(days=12)).replace(hour=7, minute=0, second=0, microsecond=0)
    begun, names = time.monotonic(), [f"{point}-{number}" for number in range(often(20, 1)) for point in POINTS]
    with Receiver(tmp_path, "told") as told:
        rig = Rig(tmp_path, nursery, [told])
        months = rig.config.read_text().replace('period = "year"', 'period = "month"')
        rig.put(months)
        put(rig, lambda connection: save_values(connection, list(closed(slot))))
        rig.start()
        wait_until(lambda: rig.query("SELECT 1 FROM node_period WHERE closed_at IS NOT NULL"), "frozen nodes", 60)
        rig.kill()
        for name in names:
            point = name.partition("-")[0]
            if point in ONCE:
                empty_shelf(rig)
            schedule(rig, months, name, slot)
            die_at(rig, point)
            before = kept(rig)
            rig.start()
            sent = f"SELECT 1 FROM report_delivery WHERE report = '{name}' AND delivered_at IS NOT NULL"
            wait_until(lambda sent=sent: rig.query(sent), f"the report after {name}", 60)
            assert rig.kill() == -9
            words, files = kept(rig)
            assert (len(words), {form for form, _ in files}) == (1, {"json", "xlsx"}), "made once, in every form"
            assert set(before[1]) <= set(files), "what was made before the kill stands"
            assert before[0] in ([], words)
        came = Counter(message["key"] for message in told.messages())
        bodies = {(message["key"], str(message["body"])) for message in told.messages()}
        due, done = counted(rig, "report_due"), counted(rig, "report_sent")
    assert set(came) == {f"{name}:{slot:%Y-%m-%dT%H:%MZ}:told" for name in names}, "none is lost, none is another"
    assert len(bodies) == len(names), "what comes again is the same"
    again = {key.partition(":")[0]: count for key, count in came.items() if count > 1}
    assert again == {name: 2 for name in names if name.startswith("report_sent-")}, (
        "the receiver had it, nobody noted it"
    )
    assert due == done == dict.fromkeys(names, 1)
    seconds = round(time.monotonic() - begun)
    counts = {"kills": 2 * len(names), "reports": len(came), "lost": 0, "duplicates": len(again), "seconds": seconds}
    figures("kills amid reports", counts)
