"""Frozen reports and their sending, tickets about insights, what people say of initiatives."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0004_reports"
down_revision = "0003_improve"


def upgrade() -> None:
    """Create the tables."""
    _reports()
    _sending()
    _doing()


def _reports() -> None:
    def key() -> list[sa.Column[object]]:
        return [
            sa.Column("scorecard", sa.String(length=200), nullable=False),
            sa.Column("kind", sa.String(length=10), nullable=False),
            sa.Column("start", schema.Instant(), nullable=False),
            sa.Column("owner", sa.String(length=400), nullable=False),
        ]

    op.create_table(
        "report",
        *key(),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("made_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("scorecard", "kind", "start", "owner"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_rendering",
        *key(),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("scorecard", "kind", "start", "owner", "format"),
        sqlite_with_rowid=False,
    )


def _sending() -> None:
    op.create_table(
        "report_run",
        sa.Column("report", sa.String(length=200), nullable=False),
        sa.Column("slot", schema.Instant(), nullable=False),
        sa.Column("period", sa.String(length=20), nullable=False),
        sa.Column("made_at", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("report", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_delivery",
        sa.Column("report", sa.String(length=200), nullable=False),
        sa.Column("slot", schema.Instant(), nullable=False),
        sa.Column("channel", sa.String(length=220), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", schema.Instant(), nullable=True),
        sa.Column("delivered_at", schema.Instant(), nullable=True),
        sa.Column("dead", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("report", "slot", "channel"),
        sqlite_with_rowid=False,
    )


def _doing() -> None:
    op.create_table(
        "ticket",
        sa.Column("insight", sa.String(length=1300), nullable=False),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=400), nullable=False),
        sa.Column("asked_at", schema.Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", schema.Instant(), nullable=True),
        sa.Column("opened_at", schema.Instant(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("insight", "action"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "initiative_said",
        sa.Column("initiative", sa.String(length=200), nullable=False),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=True),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("insight", sa.String(length=1300), nullable=False),
        sa.Column("author", sa.String(length=400), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("initiative"),
        sqlite_with_rowid=False,
    )
