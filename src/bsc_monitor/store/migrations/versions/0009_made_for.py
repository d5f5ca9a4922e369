"""Readings of one instant that were made for several periods are kept apart, where the last took the others' place."""

import sqlalchemy as sa
from alembic import op

from bsc_monitor.store import schema

revision = "0009_made_for"
down_revision = "0008_collections"

_COPIED = (
    'kpi, labels, "at", value, samples, numerator, denominator, period_kind, period_start, period_end, period_label, '
    "state, completeness, evidence, note, author, stored_at"
)


def upgrade() -> None:
    """Write the table anew: SQLite changes no key of one that is there."""
    op.drop_index("reading_at", "reading")
    op.rename_table("reading", "reading_before")
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
        sa.Column("period_start", schema.Instant(), nullable=False),
        sa.Column("period_end", schema.Instant(), nullable=False),
        sa.Column("period_label", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("completeness", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("stored_at", schema.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "labels", "at", "period_start", "period_end"),
        sqlite_with_rowid=False,
    )
    read = _COPIED.replace("period_start, period_end", "COALESCE(period_start, 0), COALESCE(period_end, 0)")
    op.execute(f"INSERT INTO reading ({_COPIED}) SELECT {read} FROM reading_before")  # noqa: S608 - constants
    op.drop_table("reading_before")
    op.create_index("reading_at", "reading", ["at"], unique=False)
