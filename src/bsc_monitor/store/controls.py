"""What people said of alerts: acknowledgements, silences, comments.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, case, literal, select, update

from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.alert import Acknowledgement, AlertState, Matcher, Silence
from bsc_monitor.store.alerts import alert_row
from bsc_monitor.store.schema import Instant, Serial, metadata, upsert

_MOST_ASKED = 10_000

acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("author", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("until", Instant),
    sqlite_with_rowid=False,
)

silence = Table(
    "silence",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("silence_ends", "ends_at"),
    sqlite_with_rowid=False,
)

comment = Table(
    "comment",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("subject", String(900), nullable=False),
    Column("author", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Index("comment_subject", "subject", "id"),
)


@dataclass(frozen=True, slots=True)
class Comment:
    """What a person wrote about a subject (``kind:name`` or an alert's fingerprint)."""

    subject: str
    at: datetime
    author: str
    text: str
    id: int = 0


def save_acknowledgement(connection: Connection, given: Acknowledgement) -> None:
    """Insert or replace the acknowledgement of an episode."""
    row = {
        "fingerprint": given.fingerprint, "episode": given.episode, "author": given.author, "at": given.at,
        "note": given.note, "until": given.until,
    }  # fmt: skip
    upsert(connection, acknowledgement, [row])


def load_acknowledgements(
    connection: Connection, fingerprints: Iterable[str] | None = None, *, firing: bool = False
) -> dict[str, Acknowledgement]:
    """The newest acknowledgement of each alert, by fingerprint; of some alerts only, or of those that fire.

    Whether it still holds, ``alert.quiet`` says.
    """
    query = select(acknowledgement).order_by(acknowledgement.c.episode)
    if fingerprints is not None:
        query = query.where(acknowledgement.c.fingerprint.in_(list(fingerprints)[:_MOST_ASKED]))
    if firing:
        now = alert_row.c.state == str(AlertState.FIRING)
        query = query.join(alert_row, alert_row.c.fingerprint == acknowledgement.c.fingerprint).where(now)
    return {
        row.fingerprint: Acknowledgement(row.fingerprint, row.episode, row.author, row.at, row.note, row.until)
        for row in connection.execute(query)
    }


def save_silence(connection: Connection, kept: Silence, now: datetime) -> None:
    """Insert or replace a silence."""
    row = {
        "id": kept.id, "matchers": adapter(tuple[Matcher, ...]).dump_json(kept.matchers).decode(), "starts_at": kept.starts_at,
        "ends_at": kept.ends_at, "author": kept.author, "comment": kept.comment, "updated_at": now,
    }  # fmt: skip
    upsert(connection, silence, [row])


def end_silence(connection: Connection, name: str, now: datetime) -> bool:
    """End a silence now; False when there is none such, or it is over."""
    over = update(silence).where(silence.c.id == name, silence.c.ends_at > now)
    starts = case((silence.c.starts_at > now, literal(now, Instant)), else_=silence.c.starts_at)
    return connection.execute(over.values(ends_at=now, starts_at=starts, updated_at=now)).rowcount == 1


def load_silences(connection: Connection, *, since: datetime | None = None) -> list[Silence]:
    """Silences, oldest end first; with ``since``, only those that end later."""
    query = select(silence).order_by(silence.c.ends_at, silence.c.id)
    if since is not None:
        query = query.where(silence.c.ends_at > since)
    return [
        Silence(
            row.id, adapter(tuple[Matcher, ...]).validate_json(row.matchers), row.starts_at, row.ends_at, row.author,
            row.comment, row.updated_at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def save_comment(connection: Connection, said: Comment) -> None:
    """Append a comment."""
    row = {"at": said.at, "subject": said.subject, "author": said.author, "text": said.text}
    connection.execute(comment.insert(), row)


def load_comments(connection: Connection, subject: str, limit: int = 100) -> list[Comment]:
    """The newest comments on a subject, newest first."""
    query = select(comment).where(comment.c.subject == subject).order_by(comment.c.id.desc()).limit(limit)
    return [Comment(row.subject, row.at, row.author, row.text, row.id) for row in connection.execute(query)]
