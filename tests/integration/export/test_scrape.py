"""A real Prometheus scrapes the exposition in both formats, compressed, and answers with the same numbers."""

import gzip
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers import prometheus, wait_until

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import MAIN_FAMILIES
from bsc_monitor.export.own import own_metrics
from bsc_monitor.export.text import line, pairs

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Debian's prometheus is not installed")


@pytest.fixture
def served():
    """An exposition behind two addresses: ``/metrics`` negotiates, ``/text`` never answers OpenMetrics."""
    exposition, seen = Exposition(MAIN_FAMILIES, own_metrics()), {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            accept = "" if self.path == "/text" else self.headers.get("Accept", "")
            body, kind, encoding = exposition.render(accept, self.headers.get("Accept-Encoding", ""))
            seen[self.path] = (kind, encoding)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield exposition, server.server_address[1], seen
    server.shutdown()
    server.server_close()


def test_prometheus_reads_both_formats_alike_and_drops_removed_series(served, tmp_path):
    exposition, port, seen = served
    for n in range(500):
        text = line("bsc_kpi_score", pairs(("kpi",), (f'k{n} "\\\n<b>é',)), n / 7)
        exposition.set("bsc_kpi_score", n, text)
    config = f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
- {{job_name: openmetrics, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
- {{job_name: text, metrics_path: /text, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""
    with prometheus(tmp_path, config) as server:
        wait_until(lambda: len(server.query("bsc_kpi_score")) == 1000, "both scrapes")
        read = {(labels["job"], labels["kpi"]): value for labels, value in server.query("bsc_kpi_score")}
        assert read == {
            (job, f'k{n} "\\\n<b>é'): n / 7 for job in ("openmetrics", "text") for n in range(500)
        }  # fmt: skip
        assert seen["/metrics"][0].startswith("application/openmetrics-text")
        assert seen["/text"][0].startswith("text/plain")
        assert seen["/metrics"][1] == seen["/text"][1] == "gzip"
        assert len(server.query("up == 1")) == 2
        exposition.remove(7)
        wait_until(lambda: len(server.query("bsc_kpi_score")) == 998, "removed series to go")


def test_the_compressed_body_is_one_member_that_a_strict_reader_takes_whole(served):
    import zlib

    exposition, _, _ = served
    for n in range(1000):
        exposition.set("bsc_kpi_score", n, line("bsc_kpi_score", pairs(("kpi",), (str(n),)), n))
    body = exposition.render("", "gzip")[0]
    reader = zlib.decompressobj(31)
    plain = reader.decompress(body)
    assert reader.eof
    assert not reader.unused_data
    assert plain == gzip.decompress(body)
    assert plain.count(b"bsc_kpi_score{") == 1000
