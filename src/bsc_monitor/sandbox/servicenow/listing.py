"""The list page that an evidence link leads to: the records that match an encoded query, as people see them."""

from html import escape

from bsc_monitor.sandbox.servicenow.answer import Writer
from bsc_monitor.sandbox.servicenow.instance import Row

_SHOWN = 200
_FIRST = (
    "number",
    "short_description",
    "state",
    "priority",
    "assignment_group",
    "opened_at",
    "resolved_at",
    "closed_at",
)
_STYLE = (
    ":root{color-scheme:light dark}body{font:14px system-ui;margin:1.5rem}table{border-collapse:collapse}"
    "th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid #8885}"
)


def page(writer: Writer, rows: list[Row], query: str) -> str:
    """HTML of the first records, by the columns that matter most."""
    columns = writer.table.columns
    names = [name for name in _FIRST if name in columns] or [name for name in columns if not name.startswith("sys_")]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(writer.shown(columns[name], row.get(name, '')))}</td>" for name in names)
        + "</tr>"
        for row in rows[:_SHOWN]
    )
    more = f", the first {_SHOWN} shown" if len(rows) > _SHOWN else ""
    return (
        f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>{escape(writer.table.name)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(writer.table.name)}: {len(rows)} records{more}</h1><p><code>{escape(query)}</code></p>"
        f"<table><tr>{head}</tr>{body}</table></html>"
    )
