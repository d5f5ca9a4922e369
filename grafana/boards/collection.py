"""Board 6, for admins: do the collectors run, and how is the service itself."""

from typing import Any

from grafana.board import board
from grafana.looks import AGE_COLUMN, UP, WORD_CELL, column
from grafana.panels import lines, listing, now, over, rows, tiles
from grafana.queries import JOB, latest

RUN = "source, measure"
_RATE = "[$__rate_interval]"
_STEP = "30m"  # sources are asked every some minutes: a rate over less is nothing or a spike


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return board(
        "collection", "Balanced scorecard: collection and service",
        "Whether the sources are collected, and how the service itself is.",
        [*_state(), _collectors(), *_runs(), *_service(), *_process()], since="now-6h", refresh="30s",
    )  # fmt: skip


def _state() -> list[Any]:
    loaded = f"time() - {latest('bsc_config_last_reload_success_timestamp_seconds', 'job', JOB)}"
    failures = f"sum by (job) (increase(bsc_exposition_failures_total{{{JOB}}}[$__range]))"
    return [
        tiles(
            "Service", "Whether Prometheus reaches the service.", now(f"min by (job) (up{{{JOB}}})", "{{job}}"),
            mappings=UP, width=5,
        ),
        tiles(
            "Last reload", "Whether the newest configuration was taken; if not, the old one is in force.",
            now(f"min by (job) (bsc_config_last_reload_successful{{{JOB}}})", "{{job}}"), mappings=UP, width=5,
        ),
        tiles("Configuration loaded", "Time since it was last taken.", now(loaded, "{{job}}"), unit="s", decimals=1, width=5),
        tiles(
            "Version", "The version that runs.", now(latest("bsc_build_info", "version", JOB), "{{version}}"),
            mappings=UP, width=4,
        ),
        tiles(
            "Items not shown", "Items that could not be written to /metrics in the shown time; the log names them.",
            now(failures, "{{job}}"), width=5, colors=((None, "green"), (1.0, "red")),
        ),
    ]  # fmt: skip


def _collectors() -> Any:
    age = f"time() - {latest('bsc_collector_last_success_timestamp_seconds', RUN, JOB)}"
    runs = f"sum by ({RUN}) (increase(bsc_collector_runs_total{{{JOB}}}[$__range]))"
    failed = f"sum by ({RUN}) (increase(bsc_collector_run_failures_total{{{JOB}}}[$__range]))"
    return listing(
        "Collectors", "Every measure that is collected. The sources page of the built-in board gives errors in words.",
        rows(f"min by ({RUN}) (bsc_collector_up{{{JOB}}})", "up"), rows(age, "age"),
        rows(latest("bsc_collector_interval_seconds", RUN, JOB), "interval"), rows(runs, "runs"), rows(failed, "failed"),
        columns={
            "source": "Source", "measure": "Measure", "Value #up": "Last run", "Value #age": "Last success",
            "Value #interval": "Interval", "Value #runs": "Runs", "Value #failed": "Failed runs",
        },
        styles={
            "Last run": column(mappings=UP, cell=WORD_CELL, width=130), "Last success": AGE_COLUMN, "Interval": AGE_COLUMN,
            "Runs": column(decimals=0), "Failed runs": column(decimals=0),
        },
        sort="Last run", descending=False, height=9,
    )  # fmt: skip


def _runs() -> list[Any]:
    failures = f"sum by (source, reason) (rate(bsc_collector_run_failures_total{{{JOB}}}{_RATE}))"
    buckets = f"sum by (source, le) (rate(bsc_collector_run_duration_seconds_bucket{{{JOB}}}{_RATE}))"
    requests = f"sum by (source) (rate(bsc_collector_http_requests_total{{{JOB}}}{_RATE}))"
    runs = f"sum by (source) (rate(bsc_collector_runs_total{{{JOB}}}{_RATE}))"
    return [
        lines("Runs", "Finished runs of each source.", over(runs, "{{source}}", step=_STEP), unit="ops", low=0, width=6),
        lines(
            "Failed runs", "Failed runs by reason: auth, permission, rate_limit, transient, schema, config, timeout, plugin.",
            over(failures, "{{source}} {{reason}}", step=_STEP), unit="ops", low=0, width=6,
        ),
        lines(
            "Run duration, 95th percentile", "The time that 95 of 100 runs do not exceed.",
            over(f"histogram_quantile(0.95, {buckets})", "{{source}}", step=_STEP), unit="s", low=0, width=6,
        ),
        lines("Requests", "Requests to the sources.", over(requests, "{{source}}", step=_STEP), unit="reqps", low=0, width=6),
    ]  # fmt: skip


def _service() -> list[Any]:
    events = f"sum by (kind) (rate(bsc_events_total{{{JOB}}}{_RATE}))"
    dropped = f"sum by (kind) (rate(bsc_events_dropped_total{{{JOB}}}{_RATE}))"
    return [
        lines(
            "Event loop stall", "Longest stall of the event loop in the last minute: under 0.1 s is healthy.",
            over(latest("bsc_loop_stall_seconds", "job", JOB), "{{job}}"), unit="s", low=0, width=8,
        ),
        lines("Events", "What the service told on its bus, by kind.", over(events, "{{kind}}"), unit="ops", low=0, width=8),
        lines(
            "Dropped events", "Events that a slow viewer did not get; nothing of record is lost.",
            over(dropped, "{{kind}}"), unit="ops", low=0, width=8,
        ),
    ]  # fmt: skip


def _process() -> list[Any]:
    cpu = f"sum by (job) (rate(process_cpu_seconds_total{{{JOB}}}{_RATE}))"
    files = latest("process_open_fds", "job", JOB)
    memory = latest("process_resident_memory_bytes", "job", JOB)
    return [
        lines("Memory", "Resident memory of the service.", over(memory, "{{job}}"), unit="bytes", low=0, width=8),
        lines("Processor", "Processors that the service keeps busy.", over(cpu, "{{job}}"), unit="percentunit", low=0, width=8),
        lines("Open files", "File descriptors in use.", over(files, "{{job}}"), low=0, width=8),
    ]  # fmt: skip
