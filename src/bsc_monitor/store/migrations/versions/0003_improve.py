"""Insights, the states of initiatives, kept forecasts."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0003_improve"
down_revision = "0002_alerts"


def upgrade() -> None:
    """Create the tables."""
    _insights()
    _initiatives_and_forecasts()


def _insights() -> None:
    op.create_table(
        "insight",
        sa.Column("id", sa.String(length=1300), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject_kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=810), nullable=False),
        sa.Column("aspect", sa.String(length=420), nullable=False),
        sa.Column("since", schema.Instant(), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("data", sa.String(length=12), nullable=False),
        sa.Column("period", sa.String(length=20), nullable=False),
        sa.Column("found_at", schema.Instant(), nullable=True),
        sa.Column("ended_at", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("insight_ended", "insight", ["ended_at"], unique=False)
    op.create_index("insight_subject", "insight", ["subject"], unique=False)


def _initiatives_and_forecasts() -> None:
    op.create_table(
        "initiative_state",
        sa.Column("initiative", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("initiative"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forecast",
        sa.Column("kpi", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("time", sa.Integer(), nullable=False),
        sa.Column("ahead", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("backtest_error", sa.Float(), nullable=False),
        sa.Column("actual", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("kpi", "kind", "time", "ahead"),
        sqlite_with_rowid=False,
    )
