"""The API keeps what its OpenAPI document promises, whatever is thrown at it."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.asyncio(loop_scope="session")
CASES = 2000
# Real names, so that most requests get past "there is no such KPI".
NAMES = """
[[operations]]
include-path-regex = "/kpis/\\\\{scorecard\\\\}"
parameters = { "path.scorecard" = "it", "path.kpi" = "mttr" }
"""


async def test_thousands_of_generated_requests_find_nothing(calm, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(NAMES)
    tool = Path(sys.executable).parent / "schemathesis"
    process = await asyncio.create_subprocess_exec(
        tool, "--config-file", tmp_path / "schemathesis.toml", "run", f"{calm.url}/api/v1/openapi.json",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "75", "--seed", "1", "--no-color",
        "--generation-database", "none", "--continue-on-failure", "--request-timeout", "20",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
    )  # fmt: skip
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output[-6000:]
    assert int(re.search(r"(\d[\d,]*) generated", output)[1].replace(",", "")) >= CASES


async def test_the_document_is_valid_and_its_schemas_too(calm):
    from bsc_monitor.web.api.openapi import document
    from bsc_monitor.web.app import TABLES

    routes = tuple(route for table in TABLES for route in table.routes if route.about is not None)
    made = document(routes, "1")
    from openapi_spec_validator import validate

    validate(made)
    for schema in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
