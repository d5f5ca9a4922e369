"""A report as a printed page: the executives' one, or an owner's detail; and both as PDF."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bsc_monitor.model.status import Status
from bsc_monitor.report import svg, words
from bsc_monitor.report.chart import course
from bsc_monitor.report.data import Area, ReportData

_MOST = 6  #: entries of a list on the executives' page; fewer where they do not fit


@cache
def environment() -> Environment:
    """The templates of this room."""
    made = Environment(
        loader=PackageLoader("bsc_monitor.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {name: getattr(words, name) for name in words.__all__}
    made.globals |= {
        "bar": svg.bar, "course": course, "glyph": svg.glyph, "history": svg.history, "lead": lead,
        "progress": svg.progress, "sparkline": svg.sparkline,
    }  # fmt: skip
    return made


def page(data: ReportData, most: int = _MOST) -> str:
    """The printed form as HTML with its styles; ``most`` entries of each list on the executives' page."""
    template = "detail.html" if data.owner else "executive.html"
    return render(template, data, most=most, style=Markup(_style(data)))  # noqa: S704 - our own style, its texts cleaned


def render(template: str, data: ReportData, **more: Any) -> str:
    """A template over a report."""
    found: Mapping[str, Any] = {"topics": topics(data), "red": [k for k in data.kpis if k.status is Status.RED], **more}
    return environment().get_template(template).render(data=data, **found)


def pdf(data: ReportData) -> bytes:
    """The printed form as PDF: the same bytes for the same data."""
    from weasyprint import HTML  # takes a second to import, and its libraries may be missing

    for most in range(_MOST, 0, -1):
        document = HTML(string=page(data, most)).render()
        if data.owner or len(document.pages) == 1:  # an executive reads one page
            break
    return bytes(document.write_pdf(pdf_identifier=b"bsc-monitor"))


def topics(data: ReportData) -> list[list[Area]]:
    """What needs a decision, by what it is about, the most pressing first."""
    found: dict[str, list[Area]] = {}
    for area in data.areas:
        if _needs_decision(area):
            found.setdefault(area.title, []).append(area)
    return list(found.values())


def _needs_decision(area: Area) -> bool:
    return area.direction == "worsening" or (area.kind in ("Nobody acts", "Effect") and area.direction != "improving")


def made_words(data: ReportData) -> str:
    """When it was made, and whether it may change."""
    local = data.made_at.astimezone(ZoneInfo(data.timezone))
    what = "Frozen with its period" if data.final else "Not final"
    return f"{what} · made {_moment(local)}"


def _moment(local: datetime) -> str:
    return f"{words.day(local.date())}, {local:%H:%M}"


def _style(data: ReportData) -> str:
    foot = f"{data.title} · {data.period_words} · {made_words(data)} · bsc-monitor"
    clean = "".join(c for c in foot if c.isprintable() and c not in '"\\<>')
    source, _, _ = environment().loader.get_source(environment(), "style.css")  # type: ignore[union-attr]
    return source.replace("{{ fonts }}", _fonts()).replace("{{ foot }}", clean)


@cache
def _fonts() -> str:
    """The typeface, inside the style: a report loads nothing from anywhere."""
    faces = []
    for weight in (400, 600, 700):
        content = base64.b64encode(
            (files("bsc_monitor.report") / "fonts" / f"inter-{weight}.woff2").read_bytes()
        ).decode()
        source = f'url("data:font/woff2;base64,{content}") format("woff2")'
        faces.append(f'@font-face {{ font-family: "Report Sans"; font-weight: {weight}; src: {source}; }}')
    return "\n".join(faces)


def lead(area: Area) -> Markup:
    """A finding's sentence with what it is about in bold."""
    head, found, rest = area.sentence.partition(area.title)
    if found:
        return Markup("{}<b>{}</b>{}").format(head, found, rest)
    return Markup("<b>{}</b> {}").format(area.title, area.sentence)
