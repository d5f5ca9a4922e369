"""The core tables."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0001_core"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "checkpoint",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", "scope"),
    )
    op.create_table(
        "collector_state",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("measure", sa.String(length=200), nullable=False),
        sa.Column("last_success", schema.Instant(), nullable=True),
        sa.Column("last_failure", schema.Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "measure"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_subject", "event", ["subject", "id"], unique=False)
    op.create_table(
        "node_period",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("period_kind", sa.String(length=10), nullable=False),
        sa.Column("start", schema.Instant(), nullable=False),
        sa.Column("end", schema.Instant(), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("green", sa.Integer(), nullable=False),
        sa.Column("amber", sa.Integer(), nullable=False),
        sa.Column("red", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", "period_kind", "start"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "period_value",
        sa.Column("kpi", sa.String(length=400), nullable=False),
        sa.Column("labels", sa.String(length=2000), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("start", schema.Instant(), nullable=False),
        sa.Column("end", schema.Instant(), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("samples", sa.BigInteger(), nullable=True),
        sa.Column("numerator", sa.Float(), nullable=True),
        sa.Column("denominator", sa.Float(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("completeness", sa.String(length=20), nullable=False),
        sa.Column("observed_at", schema.Instant(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("thresholds", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("definition", sa.String(length=64), nullable=False),
        sa.Column("closed_at", schema.Instant(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "labels", "kind", "start"),
        sqlite_with_rowid=False,
    )
    op.create_index("period_value_end", "period_value", ["kpi", "end"], unique=False)
    op.create_table(
        "reading",
        sa.Column("kpi", sa.String(length=400), nullable=False),
        sa.Column("labels", sa.String(length=2000), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("samples", sa.BigInteger(), nullable=True),
        sa.Column("numerator", sa.Float(), nullable=True),
        sa.Column("denominator", sa.Float(), nullable=True),
        sa.Column("period_kind", sa.String(length=10), nullable=True),
        sa.Column("period_start", schema.Instant(), nullable=True),
        sa.Column("period_end", schema.Instant(), nullable=True),
        sa.Column("period_label", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("completeness", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("stored_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "labels", "at"),
        sqlite_with_rowid=False,
    )
    op.create_index("reading_at", "reading", ["at"], unique=False)
    op.create_table(
        "record",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", "scope", "key"),
    )
    op.create_table(
        "standing",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("since", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name"),
        sqlite_with_rowid=False,
    )
