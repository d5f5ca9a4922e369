"""The web application: route tables, middlewares and the live hub, put together and checked."""

from weakref import WeakKeyDictionary

from aiohttp import web

from bsc_monitor.web import assets, badges, operators, webhooks
from bsc_monitor.web.api import alertmanager as api_alertmanager
from bsc_monitor.web.api import alerts as api_alerts
from bsc_monitor.web.api import chart as api_chart
from bsc_monitor.web.api import explain as api_explain
from bsc_monitor.web.api import initiatives as api_initiatives
from bsc_monitor.web.api import insights as api_insights
from bsc_monitor.web.api import kpis as api_kpis
from bsc_monitor.web.api import maintenance as api_maintenance
from bsc_monitor.web.api import openapi
from bsc_monitor.web.api import past as api_past
from bsc_monitor.web.api import reports as api_reports
from bsc_monitor.web.api import scorecards as api_scorecards
from bsc_monitor.web.api import sources as api_sources
from bsc_monitor.web.board import BOARD, Board
from bsc_monitor.web.failures import tell_failures
from bsc_monitor.web.guard import POLICIES, add_headers, check_access
from bsc_monitor.web.live import events
from bsc_monitor.web.live.hub import HUB, Hub
from bsc_monitor.web.pages import alerts, improvement, kpi, maintenance, overview, plugged, reports, scorecard, sources
from bsc_monitor.web.routes import Policies, Route, Routes
from bsc_monitor.web.serve import SERVED, note_served

MAX_BODY = 2 * 1024 * 1024  #: of any request, bytes; checked while it is read

#: Every route of the application is in one of these.
TABLES: tuple[Routes, ...] = (
    operators.ROUTES,
    assets.ROUTES,
    webhooks.ROUTES,
    events.ROUTES,
    badges.ROUTES,
    overview.ROUTES,
    scorecard.ROUTES,
    kpi.ROUTES,
    alerts.ROUTES,
    maintenance.ROUTES,
    sources.ROUTES,
    improvement.ROUTES,
    reports.ROUTES,
    plugged.ROUTES,
    openapi.ROUTES,
    api_scorecards.ROUTES,
    api_past.ROUTES,
    api_kpis.ROUTES,
    api_chart.ROUTES,
    api_explain.ROUTES,
    api_alerts.ROUTES,
    api_alertmanager.ROUTES,
    api_maintenance.ROUTES,
    api_insights.ROUTES,
    api_initiatives.ROUTES,
    api_reports.ROUTES,
    api_sources.ROUTES,
)


def create_app(board: Board) -> web.Application:
    """The application over a service's state. Raises ValueError for a route that declares no policy."""
    app = web.Application(middlewares=[note_served, tell_failures, check_access], client_max_size=MAX_BODY)
    app[BOARD] = board
    app[SERVED] = WeakKeyDictionary()
    app[HUB] = hub = Hub(board)
    app[api_alertmanager.STARTED] = board.clock()
    routes = [route for table in TABLES for route in table.routes]
    for route in routes:
        _add(app, route)
    app[openapi.DESCRIBED] = tuple(route for route in routes if route.about is not None)
    app[openapi.BOARD_VERSION] = board.version
    app[POLICIES] = Policies(app.router, routes)
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(hub.start)
    app.on_shutdown.append(hub.stop)
    return app


def _add(app: web.Application, route: Route) -> None:
    if route.method == "GET":
        app.router.add_get(route.path, route.handler, allow_head=True)
    else:
        app.router.add_route(route.method, route.path, route.handler)
