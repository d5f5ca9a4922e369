"""The boards as they are checked in: up to date, by the rules of Grafana's dashboard linter, over families that exist.

The linter itself is a Go program; its rules are restated here over the JSON. PromQL is judged by a real Prometheus in
``tests/integration/export/test_boards.py``.
"""

import re

import pytest
import yaml
from tests.contract.grafana_boards import BOARDS, FOLDER, RULES, families, panels, queries, targets, variables

from bsc_monitor.export.families import BY_NAME, FAMILIES

UNUSED: set[str] = set()  #: families that no board and no rule asks for, on purpose
COUNTERS = {family.name for family in FAMILIES if family.kind == "counter"} | {"process_cpu_seconds_total"}
SELECTOR = re.compile(r"\b(?:bsc_\w+|process_\w+|up)\{([^}]*)\}")
generating = pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


@generating
def test_the_generated_boards_are_up_to_date():
    from grafana.__main__ import main

    assert main(check=True) == 0, "run make grafana"


@generating
def test_a_stale_board_is_noticed(tmp_path):
    from grafana.__main__ import main

    main(tmp_path)
    (tmp_path / "bsc-wall.json").write_text("{}")
    assert main(tmp_path, check=True) == 1
    (tmp_path / "bsc-old.json").write_text("{}")
    main(tmp_path)
    assert main(tmp_path, check=True) == 0


def test_the_boards_of_the_design_are_there_with_fixed_addresses():
    wanted = {"overview", "perspective", "kpi", "improvement", "strategy", "breaches", "wall", "collection"}
    assert {board["uid"] for board in BOARDS.values()} == {f"bsc-{name}" for name in wanted}
    assert all(len(board["uid"]) <= 40 for board in BOARDS.values())


@each_board
def test_the_data_source_is_a_variable_and_every_panel_target_variable_and_annotation_uses_it(board):
    (source,) = [each for each in variables(board) if each["type"] == "datasource"]
    assert (source["name"], source["label"], source["query"]) == ("datasource", "Data source", "prometheus")
    asking = [*panels(board), *(target for _, target in targets(board))]
    asking += [each for each in variables(board) if each["type"] == "query"] + board.get("annotations", {}).get(
        "list", []
    )
    for each in asking:
        assert each["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert "__inputs" not in board


@each_board
def test_job_and_scorecard_variables_are_as_the_linter_wants_them(board):
    named = {each["name"]: each for each in variables(board)}
    job = named["job"]
    assert (job["label"], job["multi"], job["includeAll"], job["allValue"]) == ("Job", True, True, ".+")
    assert "scorecard" in named
    for each in named.values():
        assert each["label"]
        if each["type"] == "query":
            assert each["refresh"] == 2
            assert each["query"]["query"].startswith("label_values(")


@each_board
def test_every_selector_matches_the_job(board):
    for query in queries(board):
        if query == "label_values(bsc_build_info, job)":
            continue
        assert not re.search(r"\b(?:bsc_\w+|process_\w+)\b(?![{\w])", query), f"a bare name in {query}"
        for matchers in SELECTOR.findall(query):
            assert 'job=~"$job"' in matchers, query


@each_board
def test_counters_are_asked_for_their_rate_over_the_rate_interval(board):
    for query in queries(board):
        for name in COUNTERS:
            for found in re.finditer(rf"\b{name}\b", query):
                assert re.search(r"(?:rate|irate|increase)\($", query[: found.start()]), query
        for window in re.findall(r"\b(?:rate|irate|increase)\([^\[]*\[([^\]]*)\]", query):
            assert window in ("$__rate_interval", "$__range"), query


@each_board
def test_a_window_over_the_whole_range_is_only_asked_for_an_instant(board):
    for title, target in targets(board):
        assert "$__range]" not in target["expr"] or target["instant"], title


@each_board
def test_every_panel_has_a_title_a_description_a_unit_targets_and_words_for_no_data(board):
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel
        assert len(panel["description"]) > 20, panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"], panel["title"]
        assert panel["targets"], panel["title"]
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))


@each_board
def test_panels_and_targets_have_the_ids_that_the_sdk_leaves_out_and_fit_the_grid(board):
    ids = [panel["id"] for panel in panels(board)]
    assert ids == sorted(set(ids))
    taken = set()
    for panel in panels(board):
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs), panel["title"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
        if panel["type"] in ("stat", "bargauge"):
            assert panel["options"]["reduceOptions"]["calcs"], panel["title"]


@each_board
def test_boards_are_read_only_and_load_in_grafana_10(board):
    assert board["editable"] is False
    assert board["schemaVersion"] <= 39
    assert board["description"]
    assert board["tags"] == ["bsc-monitor"]


@each_board
def test_no_colour_stands_without_a_word_or_glyph_and_amber_is_orange(board):
    for panel in panels(board):
        groups = [panel["fieldConfig"]["defaults"].get("mappings", [])]
        groups += [
            item["value"]
            for override in panel["fieldConfig"]["overrides"]
            for item in override["properties"]
            if item["id"] == "mappings"
        ]
        for mapping in (mapping for group in groups for mapping in group):
            options = mapping["options"]
            results = options.values() if mapping["type"] == "value" else [options["result"]]
            assert all(result["text"] for result in results)
    assert "yellow" not in str(board).lower()


def test_the_wall_board_has_no_rows_and_nothing_to_click():
    wall = BOARDS["bsc-wall"]
    assert not [panel for panel in panels(wall) if panel["type"] == "row"]
    assert not wall.get("links")
    assert "/d/" not in str(wall)


def test_links_between_boards_lead_to_boards_and_set_variables_that_these_have():
    found = 0
    for board in BOARDS.values():
        for uid, rest in re.findall(r"/d/([a-z-]+)\?([^']*)", str(board)):
            found += 1
            names = {each["name"] for each in variables(BOARDS[uid])}
            assert set(re.findall(r"var-(\w+)=", rest)) <= names
    assert found > 5


def asked():
    for board in BOARDS.values():
        for query in queries(board):
            yield from families(query)
    for file in ("recording_rules.yml", "alert_rules.yml"):
        for group in yaml.safe_load((RULES / file).read_text())["groups"]:
            for rule in group["rules"]:
                yield from families(rule["expr"])


def test_every_name_in_a_board_or_rule_exists_and_every_family_is_asked_for_or_listed_as_unused():
    names = set(asked())
    assert names <= BY_NAME.keys()
    assert BY_NAME.keys() - names == UNUSED


def test_provisioning_names_the_data_source_and_the_folder_of_the_boards():
    root = FOLDER.parent / "provisioning"
    (source,) = yaml.safe_load((root / "datasources" / "prometheus.yml").read_text())["datasources"]
    (boards,) = yaml.safe_load((root / "dashboards" / "bsc-monitor.yml").read_text())["providers"]
    current = {
        each["current"]["value"]
        for board in BOARDS.values()
        for each in variables(board)
        if each["name"] == "datasource"
    }
    assert current == {source["uid"]}
    assert source["type"] == "prometheus"
    assert boards["type"] == "file"
    assert boards["allowUiUpdates"] is False
