"""The one door: every reading, from whatever side, is cleaned and capped here before anything else sees it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec.structs import replace

from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.reading import KpiReading, Reading
from bsc_monitor.model.unit import factor

MOST_LABELS = 4  #: on one reading
MOST_SEGMENTS = 1000  #: distinct label sets of one KPI
LONGEST_LABEL = 200
LONGEST_NOTE = 1000
LONGEST_LINK = 2000
_SHOWN_VALUES = 5
AHEAD = timedelta(minutes=5)  #: how far a source's clock may run before ours
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# Cc control, Cs lone surrogates (legal in JSON, fatal on the wire), Cf would let text run backwards on a page
_UNWANTED = {"Cc", "Cs", "Cf", "Co", "Cn"}
_SPACES = re.compile(r"\s+")
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


class Refused(ValueError):  # noqa: N818 - not an error of ours: what the door says of a reading
    """A reading that may not enter; the message says why, for people."""


def clean_text(text: object, longest: int) -> str:
    """One line of printable text in NFC; what does not belong becomes U+FFFD or a space."""
    plain = unicodedata.normalize("NFC", _SPACES.sub(" ", str(text)[: longest * 2]))
    if not plain.isprintable():
        plain = "".join("\ufffd" if unicodedata.category(sign) in _UNWANTED else sign for sign in plain)
    return plain.strip()[:longest]


@dataclass(slots=True)
class Door:
    """Cleans readings and remembers how many segments each KPI has, so that labels cannot grow without end."""

    segments: dict[str, set[tuple[tuple[str, str], ...]]] = field(default_factory=dict)
    refused: int = 0  #: since start

    def admit(
        self,
        kpi: Kpi,
        reading: Reading,
        unit: str,
        now: datetime,
        *,
        author: str | None = None,
        event_time: datetime | None = None,
    ) -> KpiReading:
        """A reading addressed to a KPI, cleaned, in the KPI's unit. ``unit``: of the measure.

        Raises Refused for a value that is no finite number, a unit that cannot become the KPI's, a time that cannot
        be, and labels beyond the budget.
        """
        try:
            scale = _factor(reading.unit or unit, kpi.unit)
            labels = _labels(reading.labels)
            if labels:
                self._budget(kpi.name, labels)
            return KpiReading(
                kpi=kpi.name,
                at=_instant(reading.at, now),
                value=_number(reading.value, scale, "value"),
                labels=labels,
                samples=_samples(reading.samples),
                numerator=_number(reading.numerator, 1.0, "numerator"),
                denominator=_number(reading.denominator, 1.0, "denominator"),
                period=reading.period,
                state=reading.state,
                completeness=reading.completeness,
                evidence=_link(reading.evidence),
                note=clean_text(reading.note, LONGEST_NOTE) if reading.note else None,
                author=clean_text(author, LONGEST_LABEL) if author else None,
                event_time=event_time,
            )
        except Refused:
            self.refused += 1
            raise

    def _budget(self, kpi: str, labels: tuple[tuple[str, str], ...]) -> None:
        known = self.segments.setdefault(kpi, set())
        if labels not in known:
            if len(known) >= MOST_SEGMENTS:
                raise Refused(f"{kpi} has more than {MOST_SEGMENTS:,} different labels")
            known.add(labels)


def last_of_each(readings: Sequence[KpiReading]) -> tuple[list[KpiReading], list[str]]:
    """Of what one run says of the same KPI, labels and time, the last: as a source that restates it, and as it is kept.

    And a sentence for each that was said differently before, which the one that counts carries as its note.
    """
    kept: dict[tuple[object, ...], KpiReading] = {}
    said: dict[tuple[object, ...], list[float | None]] = {}
    for each in readings:
        key = (each.kpi, each.labels, each.at, each.period)
        if key in kept:
            said.setdefault(key, [kept[key].value]).append(each.value)
        kept[key] = each
    words: list[str] = []
    for one, values in said.items():
        last = kept[one]
        if sentence := _differently(dict(last.labels), last.at, values):
            kept[one] = replace(last, note=clean_text("; ".join(filter(None, (last.note, sentence))), LONGEST_NOTE))
            words.append(f"{last.kpi}: {sentence}")
    return list(kept.values()), words


def restated(readings: Iterable[Reading]) -> list[str]:
    """A sentence for each reading that one run of a measure gives more than once, and differently."""
    said: dict[tuple[object, ...], list[Reading]] = {}
    for each in readings:
        said.setdefault((tuple(sorted(each.labels.items())), each.at, each.period), []).append(each)
    found = (_differently(same[0].labels, same[0].at, [each.value for each in same]) for same in said.values())
    return [sentence for sentence in found if sentence]


def _differently(labels: Mapping[str, str], at: datetime | None, values: Sequence[float | None]) -> str:
    """What is wrong with several values for one thing at one time; empty where they are one."""
    if len(set(values)) < 2:
        return ""
    of = ", ".join(f"{name} {value}" for name, value in labels.items()) or "the total"
    time = f" at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
    shown = ", ".join("no value" if value is None else f"{value:g}" for value in values[:_SHOWN_VALUES])
    more = ", …" if len(values) > _SHOWN_VALUES else ""
    return f"{len(values)} readings of {of}{time} ({shown}{more}): only the last counts"


@lru_cache(maxsize=1024)
def _factor(source: str, target: str) -> float:
    try:
        return factor(source, target)
    except ValueError as error:
        raise Refused(str(error)) from None


def _number(value: float | None, scale: float, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f"the {what} is {type(value).__name__}, not a number")
    try:
        number = float(value) * scale
    except OverflowError:
        raise Refused(f"the {what} is too large") from None
    if not math.isfinite(number):
        raise Refused(f"the {what} is {number}, which is no usable number")
    return number + 0.0  # no negative zero: two spellings of one value


def _samples(samples: int | None) -> int | None:
    if samples is None:
        return None
    if isinstance(samples, bool) or not isinstance(samples, int) or not 0 <= samples < 2**53:
        raise Refused(f"the sample count is {samples!r}")
    return samples


def _instant(at: datetime | None, now: datetime) -> datetime:
    if at is None:
        return now
    if at.tzinfo is None:
        raise Refused("its time has no time zone")
    instant = at.astimezone(UTC)
    if instant > now + AHEAD:
        raise Refused(f"its time {instant:%Y-%m-%d %H:%M} UTC is in the future")
    if instant < EARLIEST:
        raise Refused(f"its time {instant:%Y-%m-%d} cannot be")
    return instant


def _labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if not labels:
        return ()
    if len(labels) > MOST_LABELS:
        raise Refused(f"it has {len(labels)} labels; {MOST_LABELS} are allowed")
    cleaned: list[tuple[str, str]] = []
    for name, value in labels.items():
        if not isinstance(name, str) or not _LABEL_NAME.fullmatch(name):
            raise Refused(f"{clean_text(name, 40)!r} is no label name")
        cleaned.append((name, clean_text(value, LONGEST_LABEL) or "none"))
    return tuple(sorted(cleaned))


def _link(link: str | None) -> str | None:
    """An evidence link, or None: what is not a plain web address is no link to click on."""
    if not link:
        return None
    cleaned = clean_text(link, LONGEST_LINK)
    return cleaned if cleaned.startswith(("https://", "http://")) else None
