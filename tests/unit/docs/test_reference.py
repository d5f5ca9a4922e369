"""The reference names all that there is, and is what the code says."""

import re
import tomllib

import pytest
from benchmarks.__main__ import NAMES
from pydantic import TypeAdapter
from scripts.docs import alerts, api, commands, configuration, events, interface
from scripts.docs.examples import EXAMPLES
from scripts.docs.pages import PAGES
from tests.unit.docs.documents import REFERENCE, ROOT

from bsc_monitor.catalog import load
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.config.form_alert import WebhookForm
from bsc_monitor.config.form_scorecard import ExpectForm, PerspectiveForm, ProgressForm, SegmentForm
from bsc_monitor.config.things import SINGLE, TABLES
from bsc_monitor.config.values import LevelStep, WeightStep
from bsc_monitor.export.families import FAMILIES
from bsc_monitor.plugin import declared

FORMS = {
    **SINGLE, **TABLES, "perspective": PerspectiveForm, "segment": SegmentForm, "expect": ExpectForm,
    "progress": ProgressForm, "webhook": WebhookForm, "levelstep": LevelStep, "weightstep": WeightStep,
}  # fmt: skip
COLLECTORS = find_plugins([], with_entry_points=False).collectors


def page(name):
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name):
    assert page(name) == PAGES[name](), "run: make docs"


def test_every_metric_family_is_documented():
    assert [family.name for family in FAMILIES if f"`{family.name}`" not in page("metrics.md")] == []


def test_every_verb_and_its_options_are_documented():
    text, missing = page("cli.md"), []
    for name, command in commands.verbs():
        heading = f"\n## bsc-monitor {name}\n"
        section = text[text.index(heading) :].split("\n## ")[1] if heading in text else ""
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        missing += [f"{name} {option}" for option in options if option != "--help" and f"`{option}`" not in section]
        missing += [] if section else [name]
    assert missing == []


def test_every_verb_shows_an_example_or_is_a_group():
    bare = [
        name
        for name, command in commands.verbs()
        if "Example:" not in (command.help or "") and not hasattr(command, "commands")
    ]
    assert bare == []


def test_every_route_is_documented():
    text = page("api.md")
    known = [f"{route.method} {route.path}" for route in api.routes()]
    assert [route for route in known if f"### {route}\n" not in text and f"`{route}`" not in text] == []


def test_every_event_and_hook_is_documented():
    assert [kind.__name__ for kind in events.kinds() if f"\n## {kind.__name__}\n" not in page("events.md")] == []
    assert [name for name in events.hook_names() if f"\n## {name}\n" not in page("hooks.md")] == []


def test_all_that_a_plugin_imports_is_documented():
    assert [name for name in interface.names() if f"\n## {name}\n" not in page("plugin-interface.md")] == []


def test_every_kind_of_alert_rule_is_documented():
    known = set(FORMS["alerts"].model_json_schema()["properties"]["when"]["enum"])
    assert known == alerts.kinds()


def test_every_definition_of_the_catalogue_is_documented():
    assert [name for name in load() if f"| `{name}` |" not in page("catalogue.md")] == []


@pytest.mark.parametrize("plugin", sorted(COLLECTORS))
def test_every_measure_and_key_of_a_bundled_plugin_is_documented(plugin):
    text, cls = page(f"plugins/{plugin}.md"), COLLECTORS[plugin]
    names = [*declared(cls, "measure"), *cls.Config.model_fields]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_every_key_of_the_configuration_says_what_it_means():
    silent = [
        f"{name}.{key}"
        for name, form in FORMS.items()
        for key, field in form.model_fields.items()
        if not field.description
    ]
    assert silent == []


def examples():
    for name, _, schema in configuration.sections():
        for key, each in schema["properties"].items():
            yield name, key, configuration.example(name, key, each)


@pytest.mark.parametrize(("table", "key", "written"), list(examples()))
def test_every_key_has_an_example_that_its_form_takes(table, key, written):
    value = tomllib.loads(f"it = {written}")["it"]
    form = FORMS[table]
    field = next(field for name, field in form.model_fields.items() if (field.alias or name) == key)
    TypeAdapter(field.rebuild_annotation()).validate_python(value)


def test_no_example_is_left_over():
    keys = {f"{table}.{key}" for table, key, _ in examples()} | {f"*.{key}" for _, key, _ in examples()}
    assert sorted(EXAMPLES.keys() - keys) == []


def test_the_example_configuration_ships_as_it_is_in_the_checkout():
    assert 'config.toml" = "bsc_monitor/example.toml"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_measurement_says_what_it_asks():
    text = (ROOT / "docs/explanation/performance.md").read_text("utf-8")
    assert [name for name in NAMES if f"`benchmarks/{name}.py`" not in text] == []
