"""Values that every reading makes behave as values do wherever they are used."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from msgspec.structs import asdict, fields, replace

from bsc_monitor.model.event import CollectorRan, StatusChanged
from bsc_monitor.model.judgement import Counts, Judgement, NodeScore
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Status

NOW = datetime(2026, 6, 15, tzinfo=UTC)
VALUES = [
    Counts(1, 2, 3, 4),
    Judgement("it/k", 1.0, score=50.0, status=Status.AMBER),
    NodeScore("objective", "it/o", 50.0, Status.AMBER, 1.0, Counts(amber=1), "", NOW),
    PeriodValue("it/k", Period(NOW, NOW), value=1.0),
    NodePeriod("objective", "it/o", Period(NOW, NOW)),
    KpiReading("it/k", NOW, 1.0, (("team", "a"),)),
    StatusChanged(NOW, "it/k", Status.RED, Status.GREEN),
    CollectorRan(NOW, "jira", "lead_time", 1.0, 3),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_equal_values_are_equal_wherever_they_came_from(value):
    twins = [
        replace(value), copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)),
        type(value)(*(getattr(value, item.name) for item in fields(value))),
    ]  # fmt: skip

    assert {value, *twins} == {value}
    assert all(type(twin) is type(value) and repr(twin) == repr(value) for twin in twins)
    assert all(asdict(twin) == asdict(value) for twin in twins)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_has_its_fields_and_no_others_and_keeps_them(value):
    first = fields(value)[0].name
    for name in ("other", first):
        with pytest.raises(AttributeError):
            setattr(value, name, 1)
    assert not hasattr(value, "__dict__")


def test_values_of_two_classes_are_never_equal():
    ran = CollectorRan(NOW, "jira", "lead_time", 1.0, 3)

    assert ran != asdict(ran)
    assert Counts() != (0, 0, 0, 0)
