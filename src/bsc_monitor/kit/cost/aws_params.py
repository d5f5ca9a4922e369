"""What may be asked of an AWS bill: which part of it, and which of its lines count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import Field

from bsc_monitor.kit.cost.cost_explorer import expression
from bsc_monitor.kit.cost.days import Line
from bsc_monitor.plugin import Params


class Scope(Params):
    """Which part of the bill."""

    services: list[str] = Field(default_factory=list, description="as Cost Explorer spells them")
    accounts: list[str] = Field(default_factory=list, description="linked accounts, 12 digits")
    tags: dict[str, list[str]] = Field(default_factory=dict, description="cost allocation tag → values")
    filter: dict[str, Any] = Field(default_factory=dict, description="any other expression of Cost Explorer")


class Cost(Scope):
    """Which part of the bill, and which of its lines."""

    tax: bool = Field(False, description="count tax in")
    credits: bool = Field(True, description="take credits and refunds off")


class Planned(Cost):
    """Which cost, and which budget."""

    budget: str = Field(
        "",
        description="name in AWS Budgets (its own filter decides what counts), or in budget_file",
        examples=["cloud"],
    )
    amortised: bool = Field(False, description="compare the amortised cost; a budget of AWS says so itself")


class RunChange(Cost):
    """What is run and what is change: by the values of a tag, or by accounts."""

    tag: str = Field("", description="cost allocation tag; without it run and change are accounts")
    run: list[str] = Field(min_length=1, description="values of the tag, or accounts, that are run", examples=[["run"]])
    change: list[str] = Field(min_length=1, description="those that are change", examples=[["change"]])


class Tagged(Scope):
    """Which tag every cost should bear."""

    tag: str = Field(description="cost allocation tag", examples=["team"])


class Commitment(Params):
    """Which kind of commitment."""

    kind: Literal["savings_plans", "reservations"] = Field("savings_plans", description="the two overlap")


def where_of(p: Scope) -> dict[str, Any]:
    """The scope as an expression of Cost Explorer."""
    return expression({"service": p.services, "account": p.accounts}, p.tags, p.filter)


def counted(lines: Iterable[Line], p: Cost) -> Iterator[Line]:
    """The lines of a bill that count."""
    without = left_out(p)
    return (line for line in lines if line.kind not in without)


def left_out(p: Cost) -> list[str]:
    """The record types that do not count."""
    return [*([] if p.tax else ["Tax"]), *([] if p.credits else ["Credit", "Refund"])]
