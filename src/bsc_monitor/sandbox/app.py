"""The sandbox server: every source system under a path of its own, on one port of this machine alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path

import structlog
from aiohttp import web

from bsc_monitor.sandbox.callers import Callers
from bsc_monitor.sandbox.cloud.aws import AwsBehaviour, aws_app
from bsc_monitor.sandbox.cloud.azure import AzureBehaviour, azure_app
from bsc_monitor.sandbox.cloud.focus_export import write as write_focus
from bsc_monitor.sandbox.cloud.ledger import Ledger
from bsc_monitor.sandbox.cloud.opencost import opencost_app
from bsc_monitor.sandbox.company import forge_projects, people_tables
from bsc_monitor.sandbox.company import servicenow_tables as company_tables
from bsc_monitor.sandbox.company.cost import ledger
from bsc_monitor.sandbox.company.delivery import jira_site
from bsc_monitor.sandbox.forge import github_app, gitlab_app
from bsc_monitor.sandbox.jira import Behaviour as JiraBehaviour
from bsc_monitor.sandbox.jira import cloud_app, data_center_app, once
from bsc_monitor.sandbox.jira.exports import load_site
from bsc_monitor.sandbox.people import people_app
from bsc_monitor.sandbox.servicenow import Behaviour, Instance, servicenow_app
from bsc_monitor.sandbox.servicenow.exports import load_exports
from bsc_monitor.sandbox.servicenow.incident_log import load
from bsc_monitor.sandbox.servicenow.instance import Loader

_log = structlog.get_logger(__name__)
_EXPORTED_EVERY = 3600.0  #: seconds


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox."""

    port: int
    runner: web.AppRunner

    @property
    def servicenow_url(self) -> str:
        """The ServiceNow instance's address (user ``demo``, password ``demo``)."""
        return f"http://127.0.0.1:{self.port}/servicenow"

    @property
    def jira_url(self) -> str:
        """The Jira site's address (``demo@example.com``, token ``demo``)."""
        return f"http://127.0.0.1:{self.port}/jira"

    @property
    def jira_dc_url(self) -> str:
        """The same issues as a self-managed Jira (personal access token ``demo``)."""
        return f"http://127.0.0.1:{self.port}/jira-dc"

    @property
    def github_url(self) -> str:
        """The address of GitHub's API (token ``demo``; ``acme/shop``, ``acme/payments``)."""
        return f"http://127.0.0.1:{self.port}/github"

    @property
    def gitlab_url(self) -> str:
        """The address of the GitLab server (token ``demo``; ``acme/warehouse``)."""
        return f"http://127.0.0.1:{self.port}/gitlab"

    @property
    def people_url(self) -> str:
        """The address of HR, learning and survey tables (bearer token ``demo``)."""
        return f"http://127.0.0.1:{self.port}/people"

    @property
    def aws_url(self) -> str:
        """The address of AWS Cost Explorer and Budgets (access key ``demo``, secret ``demo``, account 111122223333)."""
        return f"http://127.0.0.1:{self.port}/aws"

    @property
    def azure_url(self) -> str:
        """The address of Azure's login and Cost Management (tenant, client and secret ``demo``)."""
        return f"http://127.0.0.1:{self.port}/azure"

    @property
    def opencost_url(self) -> str:
        """The address of OpenCost, which lets everyone in."""
        return f"http://127.0.0.1:{self.port}/opencost"

    async def stop(self) -> None:
        """Stop listening and end open requests."""
        await self.runner.cleanup()


def _utcnow() -> datetime:
    return datetime.now(UTC)


async def _exported(bills: Callable[[], Ledger], folder: Path, _app: web.Application) -> AsyncIterator[None]:
    """Keep a FOCUS export up to date, as a provider does, while the application runs."""
    await asyncio.to_thread(lambda: write_focus(bills(), folder))

    async def keep() -> None:
        while True:
            await asyncio.sleep(_EXPORTED_EVERY)
            try:
                await asyncio.to_thread(lambda: write_focus(bills(), folder))
            except (OSError, ValueError) as error:
                _log.warning("the FOCUS export was not written", error=str(error))

    task = asyncio.create_task(keep())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def start(
    port: int = 0,
    *,
    seed: int = 1,
    since: date | None = None,
    servicenow_incidents: Path | None = None,
    servicenow_tables: Path | None = None,
    behaviour: Behaviour | None = None,
    aws: AwsBehaviour | None = None,
    azure: AzureBehaviour | None = None,
    focus_folder: Path | None = None,
    jira: JiraBehaviour | None = None,
    jira_issues: Path | None = None,
    now: Callable[[], datetime] = _utcnow,
) -> Sandbox:
    """Start serving on 127.0.0.1 (port 0: any free one).

    ``seed`` picks the generated company, ``since`` the month in which its story begins (by default 18 months ago).
    ``servicenow_incidents``: an audit-event log of incidents (CSV, also gzipped) to serve in place of the generated
    company's ServiceNow; ``servicenow_tables``: a folder of exported tables (``incident.json``, ``task_sla.csv``).
    ``jira_issues``: a file or folder of exported issues to serve as Jira. ``focus_folder``: where to write the company's
    bills as a FOCUS export, anew every hour. Raises OSError where the port is taken, ValueError where a file is not what
    it should be.
    """
    tables = _given_tables(servicenow_incidents, servicenow_tables) or company_tables(seed, now(), since)
    app = web.Application()
    app.add_subapp("/servicenow", servicenow_app(Instance(tables, now), behaviour or Behaviour()))
    app.add_subapp("/github", github_app(forge_projects(seed, now(), "github", since), Callers(), now))
    app.add_subapp("/gitlab", gitlab_app(forge_projects(seed, now(), "gitlab", since), Callers(), now))
    app.add_subapp("/people", people_app(people_tables(seed, now, since), Callers()))
    bills = cache(partial(ledger, seed, now, since))
    app.add_subapp("/aws", aws_app(bills, aws or AwsBehaviour()))
    app.add_subapp("/azure", azure_app(bills, azure or AzureBehaviour()))
    app.add_subapp("/opencost", opencost_app(bills))
    if focus_folder is not None:
        app.cleanup_ctx.append(partial(_exported, bills, focus_folder))
    given = load_site(jira_issues, now) if jira_issues else None
    site = once(lambda: given or jira_site(seed, now, since))
    app.add_subapp("/jira", cloud_app(site, jira or JiraBehaviour()))
    app.add_subapp("/jira-dc", data_center_app(site, jira or JiraBehaviour()))
    return await _listening(app, port)


def _given_tables(incidents: Path | None, folder: Path | None) -> dict[str, Loader]:
    """ServiceNow's tables of exported files; where both have a table, that of the log counts."""
    return {**(load_exports(folder) if folder else {}), **(load(incidents) if incidents else {})}


async def _listening(app: web.Application, port: int) -> Sandbox:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    try:
        await runner.setup()
        listener = web.TCPSite(runner, "127.0.0.1", port)
        await listener.start()
    except (OSError, ValueError):
        await runner.cleanup()
        raise
    return Sandbox(port=runner.addresses[0][1], runner=runner)
