"""Any HTTP service that answers in JSON; what is wanted is selected by a JMESPath expression (jmespath.org)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import jmespath
from pydantic import Field, field_validator

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    measure,
)


class HttpJson(Collector):
    """One service, by its base address."""

    name = "http_json"

    class Config(SourceConfig):
        """Where the service is and how to be let in."""

        url: str = Field(pattern=r"^https?://", description="Base address", examples=["https://status.example.com/api"])
        token: Secret | None = Field(None, description="Sent as bearer token")
        username: str | None = None
        password: Secret | None = None
        headers: dict[str, Secret] = Field(default_factory=dict, description="Further headers, e.g. X-Api-Key")

    class Value(Params):
        """What to ask and what to take."""

        path: str = Field("", description="Added to url; {start} and {end} become the period's bounds (ISO 8601, UTC)")
        query: dict[str, str | int | float] = Field(default_factory=dict, description="Query string, same placeholders")
        select: str = Field(description="JMESPath of a number, or of a list of {value, at?, and a key per breakdown}")
        body: dict[str, Any] | None = Field(None, description="POSTed as JSON when given")

        @field_validator("select")
        @classmethod
        def _compiles(cls, select: str) -> str:
            try:
                asked = _functions(jmespath.compile(select).parsed)
            except jmespath.exceptions.JMESPathError as error:
                raise ValueError(f"is no JMESPath expression: {_what_is_wrong(error)}") from None
            if unknown := sorted(asked - jmespath.functions.Functions.FUNCTION_TABLE.keys()):
                raise ValueError(f"JMESPath has no function {unknown[0]}()")
            return select

    @measure(unit="", title="Selected value")
    async def value(self, ctx: Context, p: Value) -> list[Reading]:
        """The number that ``select`` finds. Numeric strings count as numbers, true and false as 1 and 0.

        Without {start} or {end} the question is the same for every period, and so the answer is of now.

        ``null`` and an empty list are "no data". A list of objects gives one reading each: ``value``, optionally ``at``
        (ISO 8601 with offset), and those keys that the KPI names in ``by``.
        """
        answer = await self._ask(ctx, p)
        try:
            found = jmespath.search(p.select, answer)
        except jmespath.exceptions.JMESPathError as error:
            words = f"select {p.select!r} does not fit the answer: {' '.join(str(error).split())[:200]}"
            raise SourceError(words, CollectorError.CONFIG) from None
        if found is None or found == []:
            return [Reading(None, state=ReadingState.NO_DATA)]
        if not isinstance(found, list):
            return [Reading(_number(found, p.select), evidence=self._url(ctx, p))]
        return [self._reading(item, ctx, p) for item in found]

    async def _ask(self, ctx: Context, p: Value) -> Any:
        options: dict[str, Any] = {
            "params": {name: _filled(value, ctx) for name, value in p.query.items()},
            "headers": {name: secret.reveal() for name, secret in self.config.headers.items()},
            "bearer": self.config.token,
        }
        if self.config.username is not None:
            options["basic"] = (self.config.username, self.config.password or Secret(""))
        url = self._url(ctx, p)
        reply = await (ctx.http.get(url, **options) if p.body is None else ctx.http.post(url, json=p.body, **options))
        return reply.json()

    def _url(self, ctx: Context, p: Value) -> str:
        return str(self.config.url).rstrip("/") + _filled(p.path, ctx) if p.path else str(self.config.url)

    def _reading(self, item: Any, ctx: Context, p: Value) -> Reading:
        if not isinstance(item, dict) or "value" not in item:
            raise SourceError(
                f"select {p.select!r} gives a list of {type(item).__name__}",
                CollectorError.CONFIG,
                hint="Select one number, or build objects: items[].{value: amount, team: owner}",
            )
        at = item.get("at")
        labels = {name: str(item[name]) for name in ctx.by if item.get(name) is not None}
        value = None if item["value"] is None else _number(item["value"], p.select)
        state = ReadingState.NO_DATA if value is None else ReadingState.OK
        return Reading(value, at=_instant(at) if at else None, labels=labels, state=state, evidence=self._url(ctx, p))


def _filled(text: Any, ctx: Context) -> Any:
    if not isinstance(text, str) or not ("{start}" in text or "{end}" in text):
        return text  # asked without the period: the answer is of now
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (ctx.window.start or ctx.now, ctx.window.end))
    return text.replace("{start}", start).replace("{end}", end)


def _functions(node: dict[str, Any]) -> set[str]:
    """The names of the functions that a compiled expression calls."""
    below = [_functions(each) for each in node["children"] if isinstance(each, dict)]
    return set().union(*below, [node["value"]] if node["type"] == "function_expression" else [])


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, jmespath.exceptions.EmptyExpressionError):
        return "it is empty"
    if isinstance(error, jmespath.exceptions.IncompleteExpressionError):
        return "it is not complete"
    return f"it goes wrong at character {getattr(error, 'lex_position', 0) + 1}"


def _number(value: Any, select: str) -> float:
    try:
        if isinstance(value, (bool, int, float, str)):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise SourceError(f"select {select!r} finds {str(value)[:60]!r}, which is no number", CollectorError.CONFIG)


def _instant(text: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise SourceError(f"at is {str(text)[:40]!r}, which is no ISO 8601 time", CollectorError.SCHEMA) from None
    if instant.tzinfo is None:
        raise SourceError(f"at is {text!r}, which has no offset from UTC", CollectorError.SCHEMA)
    return instant
