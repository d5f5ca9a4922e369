"""How runs went by collection, where it was kept by measure, of which one collection hid the other."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0008_collections"
down_revision = "0007_interval"


def upgrade() -> None:
    """Create the table, and take over what is known of measures: a start gives it to their collections."""
    op.create_table(
        "collection_state",
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("measure", sa.String(length=200), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("last_success", schema.Instant(), nullable=True),
        sa.Column("last_failure", schema.Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("interval", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("source", "measure", "job"),
        sqlite_with_rowid=False,
    )
    op.execute(
        'INSERT INTO collection_state (source, measure, job, last_success, last_failure, error, "interval") '
        "SELECT source, measure, '', last_success, last_failure, error, \"interval\" FROM collector_state"
    )
    op.drop_table("collector_state")
