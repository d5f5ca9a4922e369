"""``bsc-monitor sandbox`` as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

RUN = "import typer; from bsc_monitor.cli.sandbox import register; app = typer.Typer(); register(app); app()"


@pytest.fixture
def sandbox():
    command = [sys.executable, "-c", RUN, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    yield process
    process.kill()
    process.communicate()


def test_it_prints_both_addresses_and_stops_cleanly_on_ctrl_c(sandbox):
    lines = [sandbox.stdout.readline().split() for _ in range(2)]

    assert [line[0] for line in lines] == ["ServiceNow", "Jira"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{lines[0][1]}/api/now/table/incident", timeout=10)
    sandbox.send_signal(signal.SIGINT)
    assert sandbox.wait(timeout=10) == 0


def test_a_taken_port_and_a_wrong_file_are_told_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy = subprocess.run([sys.executable, "-c", RUN, "--port", port], capture_output=True, text=True, timeout=30)
    wrong = tmp_path / "log.csv"
    wrong.write_text("a,b\n1,2\n")
    refused = subprocess.run(
        [sys.executable, "-c", RUN, "--port", "0", "--servicenow-incidents", wrong],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert busy.returncode == refused.returncode == 1
    assert "another --port" in busy.stderr
    assert "not an incident log" in refused.stderr
    assert "Traceback" not in busy.stderr + refused.stderr
