"""What happened, told on the bus after the commit that made it true."""

from datetime import datetime

from msgspec import Struct

from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.model.insight import InitiativeState, Insight
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.period import Period
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import CollectorError, Status


class Event(Struct, frozen=True, gc=False):
    """Anything that happened at an instant (UTC)."""

    at: datetime


class ReadingStored(Event, frozen=True, gc=False):
    """A reading was committed."""

    reading: KpiReading


class KpiJudged(Event, frozen=True, gc=False):
    """A KPI's judgement changed in any way; ``before`` is None at start."""

    judgement: Judgement
    before: Judgement | None = None


class ScoreChanged(Event, frozen=True, gc=False):
    """The score, status, coverage or counts of a node above KPIs changed."""

    node: NodeScore
    before: NodeScore | None = None


class StatusChanged(Event, frozen=True, gc=False):
    """A KPI entered a status: the event that history, counters and annotations are made of."""

    kpi: str
    status: Status
    before: Status
    value: float | None = None


class SegmentJudged(Event, frozen=True, gc=False):
    """One value of a KPI's breakdown was judged; ``labels`` names dimension and segment."""

    kpi: str
    labels: tuple[tuple[str, str], ...]
    value: float | None
    score: float | None
    status: Status


class PeriodClosed(Event, frozen=True, gc=False):
    """A period of a KPI was frozen (``reopened``: closed again after a late reading)."""

    kpi: str
    period: Period
    reopened: bool = False


class CollectorRan(Event, frozen=True, gc=False):
    """A run of one measure of a source succeeded."""

    source: str
    measure: str
    duration: float  #: seconds
    readings: int
    requests: int = 0
    next_run: datetime | None = None
    job: str = ""  #: key of the collection: a measure may have several, with other parameters, periods or schedules
    kpis: tuple[str, ...] = ()  #: that the collection feeds, by full name
    initiatives: tuple[str, ...] = ()  #: whose progress it asks for, by id

    @property
    def interval(self) -> float | None:
        """From this run to the next one, seconds; None: there is none."""
        return (self.next_run - self.at).total_seconds() if self.next_run else None


class CollectorFailed(Event, frozen=True, gc=False):
    """A run of one measure of a source failed; the last values stay and age."""

    source: str
    measure: str
    duration: float
    reason: CollectorError
    message: str  #: for people, secrets masked
    requests: int = 0
    next_run: datetime | None = None
    job: str = ""
    kpis: tuple[str, ...] = ()
    initiatives: tuple[str, ...] = ()


class ConfigReloaded(Event, frozen=True, gc=False):
    """A new configuration is in force (``ok``), or was refused and the old one kept."""

    ok: bool
    messages: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()  #: keys of the configuration whose new values wait for a restart


class WebhookReceived(Event, frozen=True, gc=False):
    """An authenticated webhook came for a source."""

    source: str
    id: str


class AlertChanged(Event, frozen=True, gc=False):
    """An alert entered another state, or began or ceased to flap."""

    alert: Alert
    before: AlertState


class NotificationDelivered(Event, frozen=True, gc=False):
    """A receiver took a message; ``key`` is the idempotency key of the newest transition in it."""

    receiver: str
    key: str
    late: bool = False  #: the receiver was down when it happened


class NotificationFailed(Event, frozen=True, gc=False):
    """A receiver did not take a message; it is tried again unless ``dead``."""

    receiver: str
    key: str
    message: str  #: for people, secrets masked
    dead: bool = False


class InsightFound(Event, frozen=True, gc=False):
    """A finding was opened, or (``before``) an open one has newer evidence."""

    insight: Insight
    before: Insight | None = None


class InsightEnded(Event, frozen=True, gc=False):
    """A finding is no longer found; ``insight.ended_at`` says since when."""

    insight: Insight


class TicketOpened(Event, frozen=True, gc=False):
    """A ticket about a finding is open in a source."""

    insight: str  #: id
    action: str
    link: str


class InitiativeChanged(Event, frozen=True, gc=False):
    """An initiative took a step of its plan–do–check–act cycle, made progress, or became late."""

    state: InitiativeState
    before: InitiativeState | None = None


class KpiAssessed(Event, frozen=True, gc=False):
    """What statistics say of a KPI's closed periods: its natural limits, variation and assurance, in words too."""

    kpi: str
    limits: tuple[float, float, float] | None  #: lower, centre, upper, in the KPI's unit; None: too few periods
    variation: str = ""  #: name of the icon
    variation_text: str = ""
    assurance: str = ""
    assurance_text: str = ""


class LinkAssessed(Event, frozen=True, gc=False):
    """What the data say of a ``drives`` link of the strategy map."""

    cause: str  #: full names of objectives
    effect: str
    correlation: float | None  #: Spearman's, at the best lag; None: no evidence
    verdict: str  #: supported, contradicted, no_evidence, not_enough_data
