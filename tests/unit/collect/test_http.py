"""The HTTP client against servers that misbehave; real sockets on 127.0.0.1, no waiting: sleeps are recorded."""

import asyncio
import gzip
import json
import socket
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.limits import Breaker, Budget, retry_after
from bsc_monitor.collect.tape import Tape
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Secret, SourceConfig, SourceError

CANARY = "s3cr3t/canary+42"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Config(SourceConfig):
    token: Secret = Secret(CANARY)


class Server:
    """A local server whose answers a test gives, and a client for it whose sleeps are noted instead of slept."""

    def __init__(self):
        self.handlers = []
        self.requests = []
        self.sleeps = []
        self.client = None

    async def handle(self, request):
        self.requests.append(request)
        await request.read()
        handler = self.handlers[min(len(self.requests), len(self.handlers)) - 1]
        return await handler(request) if asyncio.iscoroutinefunction(handler) else handler(request)

    def answers(self, *handlers):
        self.handlers = handlers

    async def open(self, **source):
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self.handle)
        self.server = TestServer(app, host="127.0.0.1")
        await self.server.start_server()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.client = self.connect(**source)
        return self

    def connect(self, tape=None, **source):
        async def sleep(seconds):
            self.sleeps.append(seconds)

        settings = {"timeout": 10, "requests_per_second": 1000.0, **source}
        return SourceClient(Source("s", "p", Config(), **settings), clock=lambda: NOW, sleep=sleep, tape=tape)

    async def fails(self, path="/x", **options):
        with pytest.raises(SourceError) as caught:
            await self.client.run().get(self.url + path, **options)
        assert CANARY not in str(caught.value) + repr(caught.value) + caught.value.hint
        return caught.value


@pytest.fixture
async def server():
    server = await Server().open()
    yield server
    await server.client.close()
    await server.server.close()


def status(code, body="", headers=None, content_type="application/json"):
    return lambda request: web.Response(status=code, text=body, headers=headers, content_type=content_type)


async def test_an_answer_is_read_as_text_and_json(server):
    server.answers(status(200, '{"a": [1, 2.5]}'))
    run = server.client.run()
    reply = await run.get(server.url + "/x", params={"deep": True, "n": 3}, bearer=Secret(CANARY))
    assert (reply.status, reply.json(), reply.text()) == (200, {"a": [1, 2.5]}, '{"a": [1, 2.5]}')
    assert server.requests[0].query == {"deep": "true", "n": "3"}
    assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    assert (run.requests, run.trace[0].status, run.trace[0].size) == (1, 200, 15)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, CollectorError.CONFIG), (401, CollectorError.AUTH), (403, CollectorError.PERMISSION),
        (404, CollectorError.CONFIG), (410, CollectorError.CONFIG), (418, CollectorError.CONFIG),
    ],
)  # fmt: skip
async def test_a_refusal_is_classified_quoted_and_not_asked_again(server, code, reason):
    server.answers(status(code, json.dumps({"errorMessages": ["field 'x' is unknown"], "token": CANARY})))
    error = await server.fails()
    assert error.reason is reason
    assert f"{code} " in error.message
    assert "field 'x' is unknown" in error.message
    assert len(server.requests) == 1


async def test_an_allowed_status_is_returned_instead_of_raised(server):
    server.answers(status(404, "{}"))
    assert (await server.client.run().get(server.url, allow=(404,))).status == 404


async def test_a_429_waits_as_long_as_the_source_asks(server):
    server.answers(status(429, headers={"Retry-After": "7"}), status(200, "1"))
    assert (await server.client.run().get(server.url)).json() == 1
    assert server.sleeps == [7.0]


async def test_a_429_without_retry_after_backs_off_and_in_the_end_says_so(server):
    server.answers(status(429))
    error = await server.fails()
    assert error.reason is CollectorError.RATE_LIMIT
    assert "did not say for how long" in error.message
    assert len(server.sleeps) == 3
    assert server.sleeps[2] > server.sleeps[0]


async def test_a_wait_beyond_the_runs_deadline_is_left_to_the_schedule(server):
    server.answers(status(429, headers={"Retry-After": "900"}))
    error = await server.fails()
    assert (error.retry_after, server.sleeps, len(server.requests)) == (900.0, [], 1)


async def test_a_burst_of_500_is_survived_and_a_lasting_one_reported(server):
    server.answers(status(500), status(502), status(200, "1"))
    assert (await server.client.run().get(server.url)).json() == 1
    server.requests.clear()
    server.answers(status(500, "Traceback: boom", content_type="text/plain"))
    error = await server.fails()
    assert error.reason is CollectorError.TRANSIENT
    assert "500" in error.message
    assert "boom" in error.message
    assert len(server.requests) == 4


async def test_a_post_that_must_not_be_repeated_is_sent_once(server):
    server.answers(status(500))
    with pytest.raises(SourceError):
        await server.client.run().post(server.url, json={"a": 1}, retry=False)
    assert len(server.requests) == 1


async def test_a_source_that_keeps_failing_is_left_alone_for_a_while_then_tried_once():
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(5):
        breaker.check()
        breaker.record("GET /x: 503")
    with pytest.raises(SourceError, match=r"next attempt in 30 s\. The last: GET /x: 503"):
        breaker.check()
    now[0] = 31
    breaker.check()
    with pytest.raises(SourceError):
        breaker.check()  # the trial is under way
    breaker.record(None)
    breaker.check()


async def test_the_client_stops_asking_a_dead_source(server):
    server.answers(status(500))
    for _ in range(5):
        await server.fails()
    asked = len(server.requests)
    error = await server.fails()
    assert "not asked" in error.message
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        ("<html><title>Log in</title></html>", "text/html", "a web page titled “Log in”"),
        ("<html>Your instance is hibernating</html>", "text/html", "hibernating"),
        ("<html></html>", "application/json", "a web page"),
        ('{"result": [{"a": "b', "application/json", "stops in the middle"),
        ('{"result": [1, 2', "application/json", "stops in the middle"),
        ('{"result": nope}', "application/json", "not valid JSON"),
        ("", "application/json", "empty"),
        ('{"v": NaN}', "application/json", "NaN"),
        ('{"v": -Infinity}', "application/json", "Infinity"),
        ('{"v": 1e999}', "application/json", "1e999"),
        ('{"v": ' + "9" * 400 + "}", "application/json", "integer of 400 digits"),
        ("[" * 100_000, "application/json", "nested too deeply"),
    ],
)
async def test_an_answer_that_is_no_usable_json_is_an_error_in_words(server, body, content_type, words):
    server.answers(status(200, body, content_type=content_type))
    reply = await server.client.run().get(server.url)
    with pytest.raises(SourceError) as caught:
        reply.json()
    assert caught.value.reason is CollectorError.SCHEMA
    assert words in caught.value.message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_of_300_mb_stops_at_the_cap(server, encoding):
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    server.answers(lambda request: web.Response(body=bomb, headers={"Content-Encoding": encoding}))
    server.client = server.connect(max_bytes=4 << 20)
    error = await server.fails()
    assert error.reason is CollectorError.SCHEMA
    assert "larger than 4.0 MB" in error.message


async def test_packed_answers_in_several_members_are_read_whole(server):
    body = gzip.compress(b'{"a":') + gzip.compress(b" 1}")
    server.answers(lambda request: web.Response(body=body, headers={"Content-Encoding": "gzip"}))
    assert (await server.client.run().get(server.url)).json() == {"a": 1}


async def test_a_packed_answer_that_breaks_off_is_a_failure(server):
    body = gzip.compress(json.dumps(list(range(5000))).encode())[:-20]
    server.answers(lambda request: web.Response(body=body, headers={"Content-Encoding": "gzip"}))
    assert "ends too early" in (await server.fails()).message


async def test_a_drip_feed_ends_at_the_deadline(server):
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            try:
                await response.write(b" ")
            except ConnectionError:
                break
            await asyncio.sleep(0.01)
        return response

    server.answers(drip)
    server.client = server.connect(timeout=0.15)
    error = await server.fails()
    assert error.reason is CollectorError.TIMEOUT
    assert "no complete answer" in error.message


async def test_a_redirect_to_another_host_is_not_followed(server):
    server.answers(status(302, headers={"Location": "http://evil.example/x"}))
    error = await server.fails(headers={"X-Api-Key": CANARY})
    assert error.reason is CollectorError.CONFIG
    assert "another host, evil.example" in error.message


async def test_a_redirect_to_a_named_host_is_followed_without_credentials(server):
    other = await Server().open()
    other.answers(status(200, "1"))
    other_url = f"http://localhost:{other.server.port}/x"
    server.answers(status(307, headers={"Location": other_url}))
    server.client = server.connect(hosts=("localhost",))
    reply = await server.client.run().get(server.url, bearer=Secret(CANARY), headers={"X-Api-Key": CANARY})
    assert reply.json() == 1
    assert CANARY not in str(dict(other.requests[0].headers))
    await server.client.close()
    await other.client.close()
    await other.server.close()


async def test_a_redirect_on_the_same_host_keeps_credentials_and_a_loop_of_them_ends(server):
    server.answers(status(302, headers={"Location": "/y"}), status(200, "1"))
    await server.client.run().get(server.url + "/x", bearer=Secret(CANARY))
    assert server.requests[1].path == "/y"
    assert "Authorization" in server.requests[1].headers
    server.answers(status(302, headers={"Location": "/x"}))
    assert "redirects more than" in (await server.fails()).message


async def test_private_addresses_are_refused_unless_allowed(server):
    server.answers(status(200, "1"))
    server.client = server.connect(allow_private=False)
    error = await server.fails()
    assert error.reason is CollectorError.CONFIG
    assert "127.0.0.1 is private" in error.message
    assert "allow_private" in error.hint
    with pytest.raises(SourceError, match="is private"):
        await server.client.run().get(server.url.replace("127.0.0.1", "localhost"))
    assert not server.requests


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "[fe80::1]"])
async def test_link_local_addresses_are_refused_even_where_private_ones_are_allowed(server, address):
    with pytest.raises(SourceError, match="not allowed"):
        await server.client.run().get(f"http://{address}/latest/meta-data")


async def test_an_unreachable_source_is_transient_and_says_no_connection(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="no connection") as caught:
        await server.client.run().get(f"http://127.0.0.1:{port}/")
    assert caught.value.reason is CollectorError.TRANSIENT


@pytest.mark.parametrize("url", ["ftp://x/", "nonsense", "http://", "http://[::1", "file:///etc/passwd"])
async def test_an_unusable_address_is_a_configuration_error(server, url):
    with pytest.raises(SourceError, match="no usable address") as caught:
        await server.client.run().get(url)
    assert caught.value.reason is CollectorError.CONFIG


async def test_a_header_that_would_split_the_request_is_refused(server):
    server.answers(status(200, "1"))
    with pytest.raises(SourceError, match="cannot be sent") as caught:
        await server.client.run().get(server.url, headers={"X-A": "1\r\nX-B: 2"})
    assert caught.value.reason is CollectorError.CONFIG


async def test_secrets_are_masked_in_trace_message_and_repr(server):
    server.answers(status(401, json.dumps({"message": f"bad token {CANARY} or {CANARY}"})))
    run = server.client.run()
    with pytest.raises(SourceError) as caught:
        await run.get(
            server.url.replace("://", "://user:hunter22@") + "/x",
            params={"api_key": "another", "t": CANARY}, basic=("bob", Secret("pa ss")), headers={"X-Api-Key": CANARY},
        )  # fmt: skip
    shown = f"{caught.value} {caught.value!r} {run.trace} {server.client!r} {server.client.redactor!r} {run!r}"
    for secret in (CANARY, "s3cr3t", "another", "hunter22", "pa ss", "Ym9iOnBhIHNz"):
        assert secret not in shown
    assert "***" in shown


def everything_in(folder: Path) -> str:
    return "".join(file.read_text() for file in folder.iterdir())


async def test_answers_are_recorded_and_replayed_without_asking_again(server, tmp_path: Path):
    server.answers(status(200, f'{{"page": 1, "echo": "{CANARY}"}}'), status(200, '{"page": 2}'))
    server.client = server.connect(tape=Tape(tmp_path, "record"))
    run = server.client.run()
    for _ in range(2):
        await run.get(server.url, bearer=Secret(CANARY))
    assert CANARY not in everything_in(tmp_path)
    await server.client.close()
    server.client = server.connect(tape=Tape(tmp_path, "replay"))
    run = server.client.run()
    assert [(await run.get(server.url)).json()["page"] for _ in range(2)] == [1, 2]
    assert len(server.requests) == 2
    with pytest.raises(SourceError, match="no recorded answer"):
        await run.get(server.url)


def test_waits_are_read_in_every_form_that_vendors_send():
    iso = (NOW + timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%MZ")
    assert retry_after({"Retry-After": "5"}, NOW) == 5
    assert retry_after({"retry-after": "Mon, 01 Jun 2026 12:00:30 GMT"}, NOW) == 30
    assert retry_after({"Retry-After": "Mon, 01 Jun 2020 12:00:30 GMT"}, NOW) == 0
    assert retry_after({"X-RateLimit-Reset": iso}, NOW) == 60  # without seconds, as Jira writes it
    assert retry_after({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 42)}, NOW) == 42
    assert retry_after({"X-RateLimit-Reset": "17"}, NOW) == 17
    assert retry_after({"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "9", "Retry-After": "4"}, NOW) == 9
    assert retry_after({"Retry-After": "99999999"}, NOW) == 3600
    for garbage in ("", "soon", "nan", "inf", "-1e400", "Mon, 99 Foo"):
        assert retry_after({"Retry-After": garbage}, NOW) is None
    assert retry_after({"Retry-After": "-5"}, NOW) == 0


def test_a_daily_budget_is_not_passed_and_renews_at_midnight():
    budget = Budget(0.02)
    budget.spend(0.01, NOW)
    budget.spend(0.01, NOW)
    with pytest.raises(SourceError, match="daily budget") as caught:
        budget.spend(0.01, NOW)
    assert caught.value.retry_after == 43_200
    budget.spend(0.01, NOW + timedelta(days=1))


# ---- quotas


async def test_a_burst_is_named_and_waited_for(server):
    burst = {"Retry-After": "2", "RateLimit-Reason": "jira-burst-based"}
    server.answers(status(429, headers=burst), status(200, "1"))
    assert (await server.client.run().get(server.url)).json() == 1
    assert server.sleeps == [2.0]
    server.answers(status(429, headers={**burst, "Retry-After": "900"}))
    assert "wants us to wait (jira-burst-based)" in (await server.fails()).message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit-Reason": "jira-quota-tenant-based", "Retry-After": "2"}, 2),  # short, and yet not this run's to wait
        ({"X-Beta-RateLimit-Reason": "jira-quota-global-based", "Beta-RateLimit": '"tenant-app-quota";r=0;t=2788'}, 2788),
        ({"RateLimit-Reason": "jira-quota-based"}, 600),
    ],
)  # fmt: skip
async def test_a_spent_quota_ends_the_run_and_keeps_others_from_asking_before_it_is_renewed(server, headers, seconds):
    server.answers(status(429, headers=headers), status(200, "1"))
    reason = next(iter(headers.values()))
    error = await server.fails()
    assert (error.reason, error.retry_after, server.sleeps) == (CollectorError.RATE_LIMIT, seconds, [])
    assert f"its quota is used up: nothing more is asked before that is renewed ({reason})" in error.message
    again = await server.fails()
    assert "not asked: its quota is used up; next attempt in" in again.message
    assert again.reason is CollectorError.RATE_LIMIT
    assert len(server.requests) == 1


async def test_after_the_pause_the_source_is_asked_again():
    clock = [0.0]
    breaker = Breaker(lambda: clock[0])
    breaker.pause(60, "its quota is used up")
    breaker.record(None)  # of a request that was under way
    clock[0] = 59.0
    with pytest.raises(SourceError, match="next attempt in 1 s"):
        breaker.check()
    clock[0] = 60.0
    breaker.check()
