"""A report as a mail to an SMTP server: HTML with a plain twin, the other formats attached, one identity for every attempt.

The server, its sign-in and the recipients are those of an apprise address. The mail is our own: apprise gives each
attempt another Message-ID and starts again with those who have it already.
"""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any

from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.report import mail
from bsc_monitor.report.letter import Letter
from bsc_monitor.report.render import CONTENT_TYPES


def is_smtp(service: Any) -> bool:
    """Whether apprise's object for an address speaks SMTP with a server, and does not encrypt for each recipient."""
    from apprise.plugins.email import NotifyEmail

    return type(service) is NotifyEmail and service.pgp_mode == "no"


async def post_mail(service: Any, letter: Letter, taken: set[str], now: datetime) -> Outcome:
    """Mail a letter to whom of the service's recipients is not among ``taken``; they are added as the server takes it."""
    refused: dict[str, str] = {}
    try:
        await asyncio.to_thread(_post, service, letter, taken, refused, now)
    except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: what cannot be put in SMTP's letters
        return Outcome(_masked(f"{type(error).__name__}: {error}", service), sure=False)
    words = "; ".join(f"{recipient}: {why}" for recipient, why in refused.items())
    return Outcome(_masked(words, service))


def message_id(letter: Letter, domain: str) -> str:
    """The identity of a letter's mail: the same at every attempt, so that mail servers and readers see one."""
    return f"<{hashlib.sha256(letter.key.encode()).hexdigest()[:32]}@{domain}>"


def compose(letter: Letter, sender: tuple[str, str], now: datetime) -> EmailMessage:
    """The mail without recipients; ``sender`` is name and address."""
    name, address = sender
    message = EmailMessage(policy=policy.SMTP)
    message["Subject"] = mail.subject(letter.data, letter.title)
    message["From"] = formataddr((name or "", address))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(letter, address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.plain(letter.data, letter.link))
    message.add_alternative(mail.html(letter.data, letter.board), subtype="html")
    for file, content in letter.files.items():
        kind = CONTENT_TYPES[file.rpartition(".")[2]].partition(";")[0]
        main, _, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=file)
    return message


def _post(service: Any, letter: Letter, taken: set[str], refused: dict[str, str], now: datetime) -> None:
    with _connected(service) as server:
        for name, recipient in service.targets:
            wanted = sorted({recipient, *service.cc, *service.bcc} - taken)
            if not wanted:
                continue
            message = compose(letter, service.from_addr, now)
            message["To"] = formataddr((name or "", recipient))
            if service.cc:
                message["Cc"] = ", ".join(
                    formataddr((service.names.get(each) or "", each)) for each in sorted(service.cc)
                )
            if service.reply_to:
                message["Reply-To"] = ", ".join(sorted(service.reply_to))
            try:
                wrong = server.send_message(message, service.from_addr[1], wanted)
            except smtplib.SMTPRecipientsRefused as error:
                wrong = error.recipients
            except smtplib.SMTPResponseException as error:  # this mail was not taken; the next may be
                wrong = {each: (error.smtp_code, _bytes(error.smtp_error)) for each in wanted}
            refused |= {each: _words(*said) for each, said in wrong.items()}
            taken |= set(wanted) - wrong.keys()


def _connected(service: Any) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if not service.verify_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    seconds = float(service.socket_connect_timeout)
    if service.secure_mode == "ssl":
        server: smtplib.SMTP = smtplib.SMTP_SSL(service.smtp_host, service.port, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(service.smtp_host, service.port, timeout=seconds)
    try:
        if service.secure_mode == "starttls":
            server.starttls(context=context)
        if service.user and service.password:
            server.login(service.user, service.password)
    except BaseException:
        server.close()
        raise
    return server


def _masked(text: str, service: Any) -> str:
    """What a server says may repeat what it was told."""
    return " ".join((text.replace(service.password, "***") if service.password else text).split())[:500]


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _words(code: int, said: bytes) -> str:
    return f"{code} {' '.join(said.decode(errors='replace').split())}"[:200]
