"""Webhooks against a real server: what is sent, how it is signed, and what each answer leads to."""

import asyncio
import hashlib
import hmac
from dataclasses import replace

import pytest
from pydantic import SecretStr
from tests.integration.notify.rig import eventually, rig, web_sink
from tests.servers import free_port

from bsc_monitor.model.alert import Receiver, Webhook
from bsc_monitor.store import outbox


def hook(sink, **more):
    return Receiver("ops", webhook=Webhook(sink.url + "/hook", **more))


async def test_a_webhook_is_signed_json_with_an_idempotency_key(tmp_path):
    async with web_sink() as sink, rig(tmp_path, hook(sink, secret=SecretStr("s3cret-key"))) as r:
        await r.see(a="red")
        await eventually(lambda: r.delivered, "delivery")
        (got,) = sink.got
        signed = got.headers["X-Bsc-Timestamp"].encode() + b"." + got.body
        expected = "sha256=" + hmac.new(b"s3cret-key", signed, hashlib.sha256).hexdigest()
        assert got.headers["X-Bsc-Signature"] == expected
        assert got.headers["Idempotency-Key"] == got.json["key"] == r.delivered[0].key
        (alert,) = got.json["alerts"]
        assert (alert["status"], alert["labels"]["kpi"], alert["value"], alert["target"]) == ("firing", "a", 9.5, 4.0)
        assert alert["transitions"][0]["key"] == got.json["key"]
        assert alert["boardURL"] == "https://bsc.example.com/kpis/it/a"
        await r.see(a="green")
        await eventually(lambda: len(sink.got) == 2, "the end")
        over = sink.got[1].json["alerts"][0]
        assert over["status"] == "resolved"
        assert over["startsAt"] == alert["startsAt"]


async def test_cloud_events_are_what_the_specification_says(tmp_path):
    cloudevents = pytest.importorskip("cloudevents.core.formats.json")
    async with web_sink() as sink, rig(tmp_path, hook(sink, cloudevents=True)) as r:
        await r.see(a="red")
        await eventually(lambda: r.delivered, "delivery")
        (got,) = sink.got
        assert got.headers["Content-Type"].startswith("application/cloudevents+json")
        from cloudevents.core.v1.event import CloudEvent

        event = cloudevents.JSONFormat().read(CloudEvent, got.body)
        assert event.get_specversion() == "1.0"
        assert event.get_id() == r.delivered[0].key
        assert event.get_type() == "bsc-monitor.alerts.firing"
        assert event.get_data()["alerts"][0]["labels"]["kpi"] == "a"


async def test_server_errors_and_too_many_requests_are_tried_again_and_other_refusals_are_not(tmp_path):
    async with web_sink() as sink, rig(tmp_path, hook(sink)) as r:
        for status, again in ((500, True), (429, True), (408, True), (302, True), (400, False), (404, False)):
            sink.status, sink.headers = status, {"Retry-After": "0", "Location": "/elsewhere"}
            before = len(r.failed)
            kpi = "a" if status in (500, 408, 400) else "b"
            await r.see(**{kpi: "red"})
            await eventually(lambda before=before: len(r.failed) > before, f"the failure of {status}")
            assert r.failed[-1].dead is not again
            assert str(status) in r.failed[-1].message
            sink.status = 200
            if again:
                count = len(r.delivered)
                await eventually(lambda count=count: len(r.delivered) > count, "the next attempt")
            await r.see(**{kpi: "green"})
            await eventually(lambda: not r.store.read_now(lambda c: outbox.pending(c, "ops")), "an empty outbox")


async def test_a_receiver_that_is_not_there_gets_everything_in_one_digest_when_it_comes(tmp_path):
    port = free_port()
    receiver = Receiver("ops", webhook=Webhook(f"http://127.0.0.1:{port}/"))
    async with rig(tmp_path, receiver) as r:
        await r.see(a="red")
        await eventually(lambda: len(r.failed) >= 2, "failures")
        await r.see(a="green")
        assert "no connection" in r.failed[0].message
        async with web_sink() as sink:
            r.settings = replace(r.settings, receivers={"ops": hook(sink)})
            await r.notifier.replace(r.settings)
            await eventually(lambda: r.delivered, "delivery")
            (alert,) = sink.got[0].json["alerts"]
            assert [moment["kind"] for moment in alert["transitions"]] == ["fired", "resolved"]
            assert sink.got[0].json["late"]
            assert "delivered late" in sink.got[0].json["text"]


async def test_a_hanging_receiver_delays_no_other_and_is_tried_again_under_the_same_key(tmp_path):
    async with web_sink() as slow, web_sink() as quick:
        receivers = [Receiver("slow", webhook=Webhook(slow.url)), Receiver("quick", webhook=Webhook(quick.url))]
        slow.hold.clear()
        async with rig(tmp_path, *receivers, seconds=0.5) as r:
            await r.see(a="red")
            await eventually(lambda: quick.got, "the quick one")
            await r.see(b="red")
            await eventually(lambda: len(quick.got) == 2, "the quick one again")
            await eventually(lambda: len(slow.got) >= 2, "a second attempt")
            slow.hold.set()
            await eventually(lambda: r.notifier.pending("slow") == 0 and not r.failed[-1].dead, "the slow one")
            await eventually(lambda: {e.receiver for e in r.delivered} == {"slow", "quick"}, "both")
            keys = [got.headers["Idempotency-Key"] for got in slow.got]
            assert keys[0] in keys[1:]


async def test_no_secret_of_a_receiver_appears_in_what_is_told_of_its_failures(tmp_path):
    receiver = Receiver(
        "ops", webhook=Webhook(f"http://127.0.0.1:{free_port()}/hooks/T0KEN-canary", SecretStr("canary-2"))
    )
    async with rig(tmp_path, receiver) as r:
        await r.see(a="red")
        await eventually(lambda: r.failed, "a failure")
        rows = r.store.read_now(lambda connection: outbox.pending(connection, "ops"))
        assert "canary" not in str(r.failed) + str(rows) + repr(r.settings)


async def test_stopping_amid_a_message_loses_nothing(tmp_path):
    async with web_sink() as sink:
        sink.hold.clear()
        async with rig(tmp_path, hook(sink)) as r:
            await r.see(a="red")
            await eventually(lambda: sink.got, "the attempt")
            await r.stop()
            sink.hold.set()
            await r.start()
            await eventually(lambda: r.delivered, "delivery")
            first, second = (got.headers["Idempotency-Key"] for got in sink.got)
            assert first == second
            await asyncio.sleep(0)
