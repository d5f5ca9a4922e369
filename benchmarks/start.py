"""From a process' start to its first answered scrape, and the demo's to a score of every perspective: ``python -m benchmarks.start``."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.servers import free_port, wait_until

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "import typer, pydantic, sqlalchemy.dialects.sqlite, aiohttp.web, structlog, prometheus_client, jinja2, pluggy, "
    "apscheduler.schedulers.asyncio"
)
CONFIG = """[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///start.db"
[scorecards.it]
[objectives.o]
scorecard = "it"
perspective = "internal_process"
[kpis.k]
objective = "o"
source = "manual"
unit = "h"
better = "lower"
target = 5
red = 10
"""


def scraped(url):
    """What ``/metrics`` says; None: nothing answers yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return None


def start(folder, port, done=lambda text: True):
    """Seconds until the first scrape is answered, and until one of which ``done`` is true; processor seconds by then."""
    begun = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "bsc_monitor", "run"], cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/metrics"
        wait_until(lambda: scraped(url) is not None, "an answer", 60)
        first = time.perf_counter() - begun
        fields = Path(f"/proc/{process.pid}/stat").read_text().split()
        processor = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        wait_until(lambda: done(scraped(url) or ""), "every score", 60)
        return first, time.perf_counter() - begun, processor
    finally:
        process.terminate()
        process.wait()


def libraries():
    """Seconds that a process needs which only imports what the service imports of others: no start is faster."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - begun


def small(rounds=5):
    """Seconds to the first scrape with one KPI: with a new database, and with the one that is there."""
    new, again, processor = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder, port = Path(name), free_port()
            (folder / "config.toml").write_text(CONFIG.format(port=port))
            new.append(start(folder, port)[0])
            seconds, _, spent = start(folder, port)
            again.append(seconds)
            processor.append(spent)
    return statistics.median(new), statistics.median(again), statistics.median(processor)


def demo():
    """Seconds of the demo organisation with a new database: to the first scrape, and to a score of every perspective."""
    wanted = {
        (card, view)
        for card in ("company", "it")
        for view in ("financial", "customer", "internal_process", "learning_growth")
    }

    def scored(text):
        lines = re.findall(r'^bsc_perspective_score\{scorecard="(\w+)",perspective="(\w+)"\}', text, re.MULTILINE)
        return wanted <= set(lines)

    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        text = (ROOT / "config.toml").read_text("utf-8").replace("127.0.0.1:9877", f"127.0.0.1:{port}")
        (folder / "config.toml").write_text(text.replace("9880", str(free_port())))
        first, every, _ = start(folder, port, scored)
        return first, every


def main():
    """Print the rows."""
    libraries()  # byte-code and file cache
    floor = statistics.median(libraries() for _ in range(5))
    new, again, processor = small()
    first, every = demo()
    print(f"importing the libraries alone           | {floor:.2f} s")
    print(f"one KPI, new database: first scrape     | {new:.2f} s, {new / floor:.1f} x the libraries | < 1.5 s")
    print(
        f"one KPI, database there: first scrape   | {again:.2f} s, {again / floor:.1f} x; {processor:.2f} s of processor"
    )
    print(f"demo, new database: board answers       | {first:.2f} s")
    print(f"demo: a score of every perspective      | {every:.2f} s, {every - first:.2f} s later | < 10 s")


if __name__ == "__main__":
    main()
