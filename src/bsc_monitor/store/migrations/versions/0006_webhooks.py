"""Webhook events that came already."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0006_webhooks"
down_revision = "0005_maintenance"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "webhook_event",
        sa.Column("id", schema.Serial, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_event_once", "webhook_event", ["source", "event"], unique=True)
    op.create_index("webhook_event_at", "webhook_event", ["at"])
