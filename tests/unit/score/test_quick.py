"""What is made quickly is what its class would have made."""

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest
from tests.unit.score.world import NOW

from bsc_monitor.model.judgement import Counts, NodeScore
from bsc_monitor.model.status import Status
from bsc_monitor.score.quick import quick

VALUES = ("objective", "it/goal", 50.0, Status.AMBER, 1.0, Counts(), "", NOW)


def test_it_is_the_same_value_of_the_same_class():
    made, plain = quick(NodeScore)(*VALUES), NodeScore(*VALUES)

    assert made == plain
    assert (type(made), hash(made), repr(made)) == (NodeScore, hash(plain), repr(plain))
    assert pickle.loads(pickle.dumps(made)) == plain
    assert replace(made, score=1.0).score == 1


def test_it_is_frozen():
    with pytest.raises(FrozenInstanceError):
        quick(NodeScore)(*VALUES).score = 1.0


def test_every_field_must_be_given():
    with pytest.raises(TypeError):
        quick(NodeScore)(*VALUES[:-1])
