"""Alerts, their history, what people said of them, and what is to be told to whom."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0002_alerts"
down_revision = "0001_core"


def upgrade() -> None:
    """Create the tables."""
    _alerts()
    _controls()
    _outbox()


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=900), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
        sqlite_with_rowid=False,
    )
    op.create_index("alert_state", "alert", ["state"], unique=False)
    op.create_table(
        "alert_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("before", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stored_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("alert_change_of", "alert_change", ["fingerprint", "id"], unique=False)
    op.create_index("alert_change_at", "alert_change", ["at"], unique=False)


def _controls() -> None:
    op.create_table(
        "acknowledgement",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("until", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "episode"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", schema.Instant(), nullable=False),
        sa.Column("ends_at", schema.Instant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("updated_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("silence_ends", "silence", ["ends_at"], unique=False)
    op.create_table(
        "comment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("subject", sa.String(length=900), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comment_subject", "comment", ["subject", "id"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("route", sa.String(length=100), nullable=False),
        sa.Column("group_key", sa.String(length=120), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("escalates", sa.Boolean(), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("not_before", schema.Instant(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=True),
        sa.Column("holder", sa.String(length=100), nullable=True),
        sa.Column("held_until", schema.Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", schema.Instant(), nullable=True),
        sa.Column("done_at", schema.Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("outbox_pending", "outbox", ["channel", "state", "id"], unique=False)
    op.create_index("outbox_alert", "outbox", ["fingerprint", "state"], unique=False)
    op.create_index("outbox_done", "outbox", ["state", "done_at"], unique=False)
    op.create_table(
        "told",
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=100), nullable=False),
        sa.Column("group_key", sa.String(length=120), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Integer(), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "fingerprint"),
        sqlite_with_rowid=False,
    )
    op.create_index("told_alert", "told", ["fingerprint"], unique=False)
    op.create_table(
        "group_log",
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("group_key", sa.String(length=120), nullable=False),
        sa.Column("sent_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "group_key"),
        sqlite_with_rowid=False,
    )
