"""Health, readiness, reload, metrics."""

import asyncio


async def test_it_is_healthy_at_once_and_ready_only_when_the_state_is_loaded_and_pages_come_fast(serving):
    ready = False
    client = await serving(ready=lambda: ready)
    assert (await client.get("/-/healthy")).status == 200
    answer = await client.get("/-/ready")
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    ready = True
    async with asyncio.timeout(20):
        while (await client.get("/-/ready")).status != 200:  # noqa: ASYNC110 - it is asked over the wire
            await asyncio.sleep(0.02)


async def test_a_refused_reload_says_why(client):
    operations = client.board.operations
    operations.reload_answer = (False, ("config.toml:3: kpis.mttr.red: not a number",))
    answer = await client.post("/-/reload")
    assert answer.status == 500
    assert "config.toml:3: kpis.mttr.red" in await answer.text()
    operations.reload_answer = (True, ())
    assert (await client.post("/-/reload")).status == 200
    assert operations.calls == [("reload",), ("reload",)]


async def test_metrics_are_the_expositions_in_either_format_packed_or_not(client):
    plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'bsc_scorecard_score{scorecard="it"}' in await plain.text()
    packed = await client.get("/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"].startswith("application/openmetrics-text")
    assert (await client.get("/metrics/segments")).status == 200
