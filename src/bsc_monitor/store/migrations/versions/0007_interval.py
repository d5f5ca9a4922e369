"""How soon the run after a measure's last success was to come."""

import sqlalchemy as sa
from alembic import op

revision = "0007_interval"
down_revision = "0006_webhooks"


def upgrade() -> None:
    """Add the column."""
    op.add_column("collector_state", sa.Column("interval", sa.Float(), nullable=True))
