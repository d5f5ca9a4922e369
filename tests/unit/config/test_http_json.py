"""What http_json is asked is looked at before it is asked."""

import pytest

from bsc_monitor.collect.plugins import find_collectors
from bsc_monitor.config import ConfigError, load

CONFIG = """
[sources.web]
plugin = "http_json"
url = "https://status.example.com/api"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.k]
objective = "o"
source = "web"
measure = "value"
params = { select = "sum(teams[].n)" }
red = 1
target = 2
"""


def problems(tmp_path, old="", new=""):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(file, find_collectors)
    return [str(each).removeprefix(f"{tmp_path}/") for each in caught.value.problems]


def test_an_address_without_its_scheme_is_refused_at_its_line(tmp_path):
    assert problems(tmp_path, "https://status", "status") == [
        "config.toml:4: sources.web.url: expected an address that begins with http:// or https://"
    ]


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("teams[", "is no JMESPath expression: it is not complete"),
        ("a..b", "is no JMESPath expression: it goes wrong at character 3"),
        ("a[`1", "is no JMESPath expression: it goes wrong at character 3"),
        ("", "is no JMESPath expression: it is empty"),
        ("teams[?sume(n) > `1`]", "JMESPath has no function sume()"),
    ],
)
def test_an_expression_that_cannot_be_is_refused_at_its_line(tmp_path, select, words):
    assert problems(tmp_path, "sum(teams[].n)", select) == [f"config.toml:14: kpis.k.params.select: {words}"]


def test_what_is_right_passes(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(CONFIG)
    assert load(file, find_collectors).organisation.kpis["it/k"].params["select"] == "sum(teams[].n)"
