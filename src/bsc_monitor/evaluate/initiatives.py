"""Initiatives as they are in force: those of the configuration and of people, with what people said of both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bsc_monitor.config import Configuration
from bsc_monitor.model.organisation import Initiative, Organisation
from bsc_monitor.store.actions import Said

_ID = re.compile(r"[^a-z0-9]+")
_LONGEST_ID = 60


def in_force(configuration: Configuration, said: Mapping[str, Said]) -> Configuration:
    """The configuration with the initiatives of people, and with the states and progress that people told.

    An id that the configuration defines is the configuration's. What an initiative of people names and is no more is
    left out of it.
    """
    organisation = configuration.organisation
    found = dict(organisation.initiatives)
    for name, each in said.items():
        if name not in found and each.definition is not None:
            found[name] = _present(each.definition, organisation)
        if name in found:
            found[name] = _overlaid(found[name], each)
    return replace(configuration, organisation=replace(organisation, initiatives=found))


def _present(initiative: Initiative, organisation: Organisation) -> Initiative:
    targets = [name for name in initiative.targets if name in organisation.kpis or name in organisation.objectives]
    expect = initiative.expect if initiative.expect and initiative.expect.kpi in organisation.kpis else None
    return replace(initiative, targets=tuple(targets), expect=expect)


def _overlaid(initiative: Initiative, said: Said) -> Initiative:
    return replace(
        initiative,
        state=said.state if said.state is not None else initiative.state,
        progress=said.progress if said.progress is not None else initiative.progress,
    )


def id_for(title: str, taken: Mapping[str, object]) -> str:
    """An id made of a title that no other initiative has."""
    base = _ID.sub("-", title.lower()).strip("-")[:_LONGEST_ID].strip("-") or "initiative"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
