"""A closed period's report is the same, byte for byte, in whatever process, time zone or language it is rendered."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from tests.unit.report.test_reports import asked
from tests.unit.web import site

from bsc_monitor.report.data import to_json
from bsc_monitor.report.making import make
from bsc_monitor.report.render import CONTENT_TYPES, render

RENDER = """
import hashlib, json, sys
from bsc_monitor.report.data import from_json
from bsc_monitor.report.render import CONTENT_TYPES, render
data = from_json(sys.stdin.read())
print(json.dumps({form: hashlib.sha256(render(data, form)).hexdigest() for form in CONTENT_TYPES}))
"""
PLACES = (
    {"TZ": "Pacific/Auckland", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Los_Angeles", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "4711", "SOURCE_DATE_EPOCH": "1"},
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = site.open_store(tmp_path_factory.mktemp("same") / "r.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("owner", ["", "cio@example.com"])
def test_two_processes_far_apart_render_the_same_bytes(store, owner):
    data = store.read_now(lambda connection: make(connection, asked(owner=owner)))
    here = {form: hashlib.sha256(render(data, form)).hexdigest() for form in CONTENT_TYPES}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **place},
        )
        for place in PLACES
    ]  # fmt: skip
    there = [json.loads(process.communicate(to_json(data))[0]) for process in running]

    assert there == [here, here]
