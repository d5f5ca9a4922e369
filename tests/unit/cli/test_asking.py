"""Where the running service is asked, and whom the command line trusts there."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers import free_port

from bsc_monitor.cli.asking import address_of, ask_service
from bsc_monitor.cli.frame import load_all

CONFIG = """
[service]
listen = "127.0.0.1:PORT"
auth = "web.toml"
[scorecards.it]
perspectives = { customer = {} }
"""
TLS = '[tls_server_config]\ncert_file = "board.crt"\nkey_file = "board.key"\n'


def certificate(folder, name):
    """A certificate of its own making, for a name that nobody here is asked under."""
    folder.mkdir(exist_ok=True)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
               "-subj", f"/CN={name}", "-keyout", folder / "board.key", "-out", folder / "board.crt"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return folder / "board.crt", folder / "board.key"


@pytest.fixture
def configured(tmp_path):
    def configure(port, more="", web=TLS):
        (tmp_path / "web.toml").write_text(web)
        (tmp_path / "config.toml").write_text(
            CONFIG.replace("PORT", str(port)).replace("[scorecards", more + "[scorecards")
        )
        return load_all(tmp_path / "config.toml")[0]

    return configure


@pytest.fixture
def board():
    """A server with a certificate, by which it answers."""
    servers = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"path": "' + self.path.encode() + b'"}')

        def log_message(self, *_):
            pass

    def serve(files):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        server.handle_error = lambda *_: None  # whoever does not trust it hangs up
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("web", "more", "address"),
    [
        (TLS, "", "https://127.0.0.1:PORT"),
        ("", "", "http://127.0.0.1:PORT"),
        ("not toml", "", "http://127.0.0.1:PORT"),
        (TLS, 'url = "http://behind.example.com/"\n', "http://behind.example.com"),
    ],
)
def test_the_address_is_that_of_the_way_in_which_the_service_listens(configured, web, more, address):
    port = free_port()
    assert address_of(configured(port, more, web)) == address.replace("PORT", str(port))


def test_a_service_with_tls_is_asked_and_its_own_certificate_is_trusted(configured, board, tmp_path):
    configuration = configured(board(certificate(tmp_path, "board.example.com")))
    assert ask_service(configuration, "GET", "/backfill", None) == {"path": "/api/v1/backfill"}


def test_another_certificate_is_not_trusted(configured, board, tmp_path):
    certificate(tmp_path, "board.example.com")
    configuration = configured(board(certificate(tmp_path / "other", "board.example.com")))
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        ask_service(configuration, "GET", "/backfill", None)
