"""Mail through apprise to a real SMTP server: what people see, and that no text can break it."""

import email
from contextlib import contextmanager
from email import policy

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from tests.integration.notify.rig import eventually, kpis, rig
from tests.servers import free_port

from bsc_monitor.model.alert import Receiver
from bsc_monitor.model.organisation import Organisation


class Inbox:
    def __init__(self):
        self.got = []
        self.answer = "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.answer.startswith("250"):
            self.got.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


@contextmanager
def smtp():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


def mail(port, *more):
    address = f"mailto://127.0.0.1:{port}/?from=bsc@example.com&to=ops@example.com"
    return Receiver("ops", apprise=(SecretStr(address), *map(SecretStr, more)))


async def test_a_mail_says_what_since_when_how_bad_whose_and_what_to_do(tmp_path):
    with smtp() as (inbox, port):
        async with rig(tmp_path, mail(port)) as r:
            await r.see(a="red")
            await eventually(lambda: inbox.got, "the mail")
            (message,) = inbox.got
            assert message["Subject"] == "WARNING Red: Time of a – 9.5 h (it)"
            assert message["To"].endswith("<ops@example.com>") or "ops@example.com" in message["To"]
            html = message.get_body(("html",)).get_content()
            plain = message.get_body(("plain",)).get_content()
            for said in ("9.5 h", "target 4 h", "ops@example.com", "12 of 40 incidents", "fired"):
                assert said in html
                assert said in plain
            assert 'href="https://acme.example.com/list?q=1&amp;x=2"' in html
            assert 'href="https://bsc.example.com/kpis/it/a"' in html
            assert "https://bsc.example.com/alerts#" in html
            await r.see(a="green")
            await eventually(lambda: len(inbox.got) == 2, "the end")
            assert inbox.got[1]["Subject"] == "RESOLVED Time of a – now 3 h (it)"


async def test_text_of_other_systems_breaks_neither_header_nor_page(tmp_path):
    evil = "Evil\r\nBcc: everyone@example.com\r\n\r\n<script>alert(1)</script> <img src=x onerror=y>"
    organisation = Organisation(kpis=kpis("a", title=evil))
    with smtp() as (inbox, port):
        async with rig(tmp_path, mail(port), organisation=organisation) as r:
            await r.see(a="red")
            await eventually(lambda: inbox.got, "the mail")
            (message,) = inbox.got
            assert message["Bcc"] is None
            assert "\n" not in message["Subject"]
            html = message.get_body(("html",)).get_content()
            assert "<script" not in html
            assert "<img" not in html


async def test_a_mail_server_that_refuses_is_told_and_tried_again(tmp_path):
    with smtp() as (inbox, port):
        inbox.answer = "451 come back later"
        async with rig(tmp_path, mail(port)) as r:
            await r.see(a="red")
            await eventually(lambda: r.failed, "the failure")
            assert not r.failed[0].dead
            assert r.failed[0].message
            inbox.answer = "250 OK"
            await eventually(lambda: inbox.got, "the mail")


async def test_each_address_of_a_receiver_is_served_by_itself_and_a_wrong_one_is_named(tmp_path, caplog, capsys):
    with smtp() as (inbox, port):
        async with rig(tmp_path, mail(port, "bogus://hidden-token@nowhere")) as r:
            await r.see(a="red")
            await eventually(lambda: inbox.got and r.failed, "both")
            assert r.failed[0].receiver == "ops.apprise2"
            assert r.failed[0].message == "the address bogus://… is none that apprise understands"
            await eventually(lambda: r.notifier.pending("ops") == 1, "the mail to be noted")
            assert "hidden-token" not in caplog.text + "".join(capsys.readouterr())


async def test_a_test_message_arrives_and_says_that_it_is_one(tmp_path):
    with smtp() as (inbox, port):
        async with rig(tmp_path, mail(port)) as r:
            outcomes = await r.notifier.test("default")
            assert outcomes["ops"].ok
            assert inbox.got[0]["Subject"].startswith("[TEST]")
            with pytest.raises(KeyError):
                await r.notifier.test("nowhere")
