"""A report as a mail: HTML that mail programs understand, and plain text for those that want none."""

from __future__ import annotations

from bsc_monitor.report.data import ReportData
from bsc_monitor.report.pages import made_words, render, topics
from bsc_monitor.report.svg import COLOURS
from bsc_monitor.report.words import score, status_word


def subject(data: ReportData, title: str = "") -> str:
    """The subject, on one line. ``title``: what the report is called, by default as its scorecard."""
    called = title or data.title
    about = f"{called}: {data.owner}" if data.owner else f"{called}: {score(data.standing.score)} of 100"
    return " ".join(f"{about}, {data.period_words}".split())


def html(data: ReportData, board: str = "") -> str:
    """The mail's body. ``board``: where the board is."""
    colours = {str(status): colour for status, colour in COLOURS.items()}
    return render("mail.html", data, subject=subject(data), colours=colours, foot=made_words(data), board=board)


def plain(data: ReportData, link: str = "") -> str:
    """The report in a few lines, for chats; ``link`` leads to the whole of it."""
    lines = [data.headline]
    lines += [f"{view.title}: {score(view.score)}, {status_word(view.status).lower()}" for view in data.perspectives]
    lines += [f"{turn.title} turned {status_word(turn.after).lower()}: {turn.why}" for turn in data.turned[:5]]
    lines += [f"{topic[0].sentence} {topic[0].next_step}" for topic in topics(data)[:3]]
    return "\n".join([*lines, link]).strip()
