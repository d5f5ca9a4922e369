"""Clients that say nothing, half of it, or too much are not waited for."""

import asyncio
import importlib

import pytest
from tests.unit.web import site

from bsc_monitor.web import create_app, serve


@pytest.fixture
async def hurried(tmp_path, monkeypatch):
    """A board that waits a moment only."""
    listening = importlib.import_module("bsc_monitor.web.serve")
    monkeypatch.setattr(listening, "HEADERS_WITHIN", 0.1)
    monkeypatch.setattr(listening, "_SWEEP", 0.02)
    monkeypatch.setattr("bsc_monitor.web.api.endpoint._READ_WITHIN", 0.1)
    monkeypatch.setattr("bsc_monitor.web.webhooks.READ_WITHIN", 0.1)
    store = site.open_store(tmp_path / "board.db")
    running = await serve(create_app(site.make_board(store)), "127.0.0.1", 0)
    yield running
    await running.stop()
    store.close()


async def closed(reader):
    """Everything that comes until the service closes the connection."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: ", b"G"])
async def test_a_head_that_does_not_come_is_not_waited_for(hurried, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    writer.write(sent)
    assert await closed(reader) == b""
    writer.close()


async def test_hundreds_of_half_open_connections_go_while_others_are_served(hurried):
    pairs = [await asyncio.open_connection("127.0.0.1", hurried.port) for _ in range(300)]
    for _, writer in pairs:
        writer.write(b"POST / HTTP/1.1\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"200 OK" in await closed(reader)
    assert [await closed(reader) for reader, _ in pairs] == [b""] * 300
    for _, each in [*pairs, (reader, writer)]:
        each.close()


@pytest.mark.parametrize("path", ["/api/v1/comments", "/webhooks/itsm"])
async def test_a_body_that_does_not_come_is_not_waited_for(hurried, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{"
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_an_open_stream_is_no_slow_client(hurried):
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port)
    writer.write(b"GET /events?on=overview HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(10):
        assert b"200 OK" in await reader.readline()
        await reader.readuntil(b"retry: ")
    other, second = await asyncio.open_connection("127.0.0.1", hurried.port)
    assert await closed(other) == b""  # by now the stream is older than what a head may take
    assert not reader.at_eof()
    for each in (writer, second):
        each.close()
