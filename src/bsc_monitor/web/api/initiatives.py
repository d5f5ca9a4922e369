"""Initiatives: what is being done, how far it is, and whether it works."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from bsc_monitor.model.insight import InitiativePhase, InitiativeState
from bsc_monitor.model.organisation import Expectation, Initiative
from bsc_monitor.web.api.alert_models import Request, Said, Text
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.insights import desk
from bsc_monitor.web.api.models import Answer
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy

API = Api("Improvement")
ROUTES = API.table

Name = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Share = Annotated[float, Field(ge=0, le=1)]


class ExpectationModel(Request):
    """The effect that is promised."""

    kpi: Name
    change: Annotated[float, Field(description="Of the KPI's value, in its unit.", allow_inf_nan=False)]
    by: date | None = None


class NewInitiative(Request):
    """An initiative to start."""

    title: Annotated[Said, StringConstraints(max_length=200)]
    targets: list[Name] = Field(default_factory=list, max_length=50, description="Full names of KPIs or objectives.")
    owner: Annotated[Text, StringConstraints(max_length=200)] = ""
    start: date | None = None
    due: date | None = None
    expect: ExpectationModel | None = None
    insight: Annotated[str, StringConstraints(max_length=1300), Field(description="Id of what it starts from.")] = ""


class InitiativeChange(Request):
    """What is to be said anew; what is left out stays. State null: as dates and progress say."""

    title: Annotated[Said, StringConstraints(max_length=200)] | None = None
    owner: Annotated[Text, StringConstraints(max_length=200)] | None = None
    start: date | None = None
    due: date | None = None
    expect: ExpectationModel | None = None
    state: InitiativePhase | None = None
    progress: Share | None = None
    note: Annotated[Text, StringConstraints(max_length=1000)] = ""


class InitiativeModel(Answer):
    """An initiative, and where it is in its plan–do–check–act cycle."""

    id: str
    title: str
    targets: list[str]
    owner: str
    start: date | None
    due: date | None
    expect: ExpectationModel | None
    started_by: Annotated[str, Field(description="Empty for one of the configuration.")]
    phase: str
    since: datetime | None
    progress: float | None
    elapsed: float | None
    late: bool
    behind: bool
    verdict: str | None
    achieved: Annotated[float | None, Field(description="Shift of the KPI's value since the start.")]


class Initiatives(Answer):
    """Initiatives."""

    items: list[InitiativeModel]


@API.get("/initiatives")
async def initiatives(call: Call) -> Initiatives:
    """List initiatives, those of the configuration first."""
    return Initiatives(items=[_model(call, each) for each in call.board.organisation.initiatives.values()])


@API.get("/initiatives/{initiative}")
async def initiative(call: Call) -> InitiativeModel:
    """Show an initiative."""
    return _model(call, _asked(call, call.path("initiative")))


@API.post("/initiatives", Policy.OPERATOR)
async def start(call: Call, body: NewInitiative) -> InitiativeModel:
    """Start an initiative."""
    draft = Initiative(
        id="", title=body.title, targets=tuple(body.targets), owner=body.owner, start=body.start, due=body.due,
        expect=_expectation(body.expect),
    )  # fmt: skip
    name = await desk(call).start_initiative(draft, body.insight, call.identity.name)
    return _model(call, _asked(call, name))


@API.post("/initiatives/{initiative}", Policy.OPERATOR, status=200)
async def change(call: Call, body: InitiativeChange) -> InitiativeModel:
    """Change an initiative; of one of the configuration only state, progress and note."""
    name = call.path("initiative")
    changes: dict[str, Any] = {key: getattr(body, key) for key in body.model_fields_set if key != "note"}
    for key in ("title", "owner"):
        if changes.get(key, "") is None:
            del changes[key]
    if "expect" in changes:
        changes["expect"] = _expectation(body.expect)
    if body.state is not None:
        changes["state"] = str(body.state)
    await desk(call).change_initiative(name, changes, body.note, call.identity.name)
    return _model(call, _asked(call, name))


def _expectation(given: ExpectationModel | None) -> Expectation | None:
    return None if given is None else Expectation(given.kpi, given.change, given.by)


def _asked(call: Call, name: str) -> Initiative:
    found = call.board.organisation.initiatives.get(name)
    if found is None:
        raise Unknown(f"there is no initiative {name!r}")
    return found


def _model(call: Call, of: Initiative) -> InitiativeModel:
    state: InitiativeState | None = call.board.current.initiatives.get(of.id)
    said = of.progress if isinstance(of.progress, float) else None
    expect = (
        None if of.expect is None else ExpectationModel(kpi=of.expect.kpi, change=of.expect.change, by=of.expect.by)
    )
    by = call.board.improvement.started_by(of.id) if call.board.improvement else ""
    return InitiativeModel(
        id=of.id, title=of.title, targets=list(of.targets), owner=of.owner, start=of.start, due=of.due, expect=expect,
        started_by=by, phase=state.phase if state else of.state or "planned", since=state.since if state else None,
        progress=state.progress if state else said, elapsed=state.elapsed if state else None,
        late=bool(state and state.late), behind=bool(state and state.behind), verdict=state.verdict if state else None,
        achieved=state.achieved if state else None,
    )  # fmt: skip
