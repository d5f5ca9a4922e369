"""People's maintenance windows."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0005_maintenance"
down_revision = "0004_reports"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "maintenance",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("since", schema.Instant(), nullable=False),
        sa.Column("cron", sa.String(length=200), nullable=False),
        sa.Column("lasts", sa.Float(), nullable=False),
        sa.Column("timezone", sa.String(length=100), nullable=False),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("until", schema.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", "since"),
        sqlite_with_rowid=False,
    )
