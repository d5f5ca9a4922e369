"""What a definition of the catalogue says, and reading them all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import tomli
from pydantic import BaseModel, ConfigDict, Field

PERSPECTIVES = ("financial", "customer", "internal_process", "learning_growth")


class Definition(BaseModel):
    """A KPI that is ready to be used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    perspective: str
    title: str
    question: str = Field(description="the question that it answers")
    plugin: str
    measure: str
    params: dict[str, Any] = Field(default_factory=dict, description="as they suit the sandbox")
    unit: str
    better: Literal["higher", "lower", "target"]
    leading: bool = False
    period: Literal["week", "month", "quarter"] = "month"
    red: float | None = None
    target: float | None = None
    reference: str = Field("", description="where red and target come from; empty: a usual start, no published norm")
    pitfalls: str = Field(description="how it is gamed or misread")
    counter: tuple[str, ...] = Field(min_length=1, description="ids of the KPIs to show beside it")


@cache
def load() -> Mapping[str, Definition]:
    """All definitions by id, perspective by perspective."""
    found = {}
    for perspective in PERSPECTIVES:
        text = files(__package__).joinpath(f"{perspective}.toml").read_text("utf-8")
        for name, values in tomli.loads(text).items():
            found[name] = Definition.model_validate({"id": name, "perspective": perspective, **values})
    return found
