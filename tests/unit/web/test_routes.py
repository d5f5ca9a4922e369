"""Every route says who may use it, and nothing gets in without."""

import pytest
from aiohttp import web
from tests.unit.web import site

from bsc_monitor.web import create_app
from bsc_monitor.web.app import TABLES
from bsc_monitor.web.routes import Policies, Policy, Routes

PUBLIC = {"/plugins/{plugin}/{path}", "/-/healthy", "/-/ready", "/static/{name}", "/webhooks/{source}"}


def routes():
    return [route for table in TABLES for route in table.routes]


def test_every_registered_route_declares_a_policy(store):
    app = create_app(site.make_board(store))
    declared = {(route.method, route.path) for route in routes()}
    walked = {
        ("GET" if each.method == "HEAD" else each.method, each.resource.canonical) for each in app.router.routes()
    }
    assert walked == declared


def test_a_route_without_a_policy_is_a_start_up_error():
    app = web.Application()

    async def hidden(_):
        return web.Response()

    app.router.add_get("/hidden", hidden)
    with pytest.raises(ValueError, match=r"(GET|HEAD) /hidden declares no policy"):
        Policies(app.router, Routes().routes)


def test_only_what_must_be_is_public():
    assert {route.path for route in routes() if route.policy is Policy.PUBLIC} == PUBLIC


def test_whatever_changes_something_needs_an_operator_at_least():
    unsafe = [route for route in routes() if route.method != "GET" and route.path not in PUBLIC]
    assert len(unsafe) >= 10
    assert all(route.policy >= Policy.OPERATOR for route in unsafe)
    assert {route.path for route in unsafe if route.policy is Policy.ADMIN} == {
        "/-/reload", "/sources/{source}/run", "/api/v1/sources/{source}/run", "/api/v1/backfill", "/api/v1/rescore",
    }  # fmt: skip


def test_no_address_is_served_twice():
    known = [(route.method, route.path) for route in routes()]
    assert len(known) == len(set(known))
