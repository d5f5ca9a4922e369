"""Discovery: what is wrong with one plugin is told and disturbs no other."""

import textwrap

import pytest

from bsc_monitor.collect.plugins import find_collectors, find_plugins

GOOD = """
from bsc_monitor.plugin import Collector, Reading, Record, Params, measure, stream, hookimpl
from datetime import datetime

class Item(Record):
    id: str
    updated: datetime

class Scope(Params):
    project: str = ""

class Good(Collector):
    name = "NAME"

    @stream(key="id", cursor="updated", record=Item)
    async def items(self, ctx, scope: Scope, window):
        yield Item(id="1", updated=window.end)

    @measure(unit="count", title="How many", over="items")
    def how_many(self, records, p: Scope, period, calendar):
        return Reading(float(len(list(records))))
"""


def write(folder, name, text):
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return file


def find(folder):
    return find_plugins([folder], with_entry_points=False)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "good.py", GOOD.replace("NAME", "good"))
    return tmp_path


def test_a_file_with_a_collector_class_is_a_plugin(folder):
    found = find(folder)
    assert found.collectors["good"].__name__ == "Good"
    assert found.origins["good"] == str(folder / "good.py")
    assert "good" not in found.bundled
    assert "good" in find_collectors([folder])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", "line 1: "),
        ("import nothing_of_that_name\n", "line 1: ModuleNotFoundError"),
        ("x = 1\n\nraise SystemExit(3)\n", "line 3: SystemExit"),
        ("x = 1\n", "no Collector class and no hook"),
        (GOOD.replace("NAME", "good").replace("Good", "Twin"), "'good' is taken by"),
        (GOOD.replace("NAME", "Bad Name"), "name is 'Bad Name'"),
        (GOOD.replace('name = "NAME"', 'name = "old"\n    api = 0'), "written for version 0"),
        (GOOD.replace("NAME", "n") + "    class Config: pass\n", "Config is not derived from SourceConfig"),
        (GOOD.replace("NAME", "n").replace('over="items"', 'over="nothing"'), "over 'nothing', which is no stream"),
        (GOOD.replace("NAME", "n").replace('key="id"', 'key="nr"'), "no field 'nr'"),
        (GOOD.replace("NAME", "n").replace("p: Scope", "p: Missing"), "line 20: NameError"),
        (GOOD.replace("NAME", "n") + "\n@hookimpl\ndef bsc_redings_stored(event): ...\n", "bsc_redings_stored"),
        (GOOD.replace("NAME", "n") + "\n@hookimpl\ndef bsc_reading_stored(evnt): ...\n", "evnt"),
        ("\x00", "null bytes"),
        ("é = '\\ud800'.encode()\n", "UnicodeEncodeError"),
    ],
)
def test_a_wrong_plugin_is_named_with_the_reason_and_the_rest_runs(folder, source, words):
    bad = write(folder, "z_bad.py", source)
    found = find(folder)
    assert "good" in found.collectors
    [problem] = found.problems
    assert problem.file == str(bad)
    assert words in problem.message


def test_a_hook_that_is_spelt_right_is_registered(folder):
    write(
        folder,
        "hooked.py",
        "from bsc_monitor.plugin import hookimpl\nseen = []\n@hookimpl\ndef bsc_reading_stored(event):\n    seen.append(event)\n",
    )
    found = find(folder)
    assert not found.problems
    found.hooks.hook.bsc_reading_stored(event=7)
    assert found.hooks.get_plugin(str(folder / "hooked.py")).seen == [7]


def test_a_file_that_anyone_may_change_is_not_loaded(folder):
    bad = write(folder, "open.py", GOOD.replace("NAME", "open"))
    bad.chmod(0o666)
    found = find(folder)
    assert set(found.collectors) >= {"good"}
    assert "open" not in found.collectors
    assert "chmod o-w" in found.problems[0].hint


def test_nothing_of_a_folder_that_anyone_may_change_is_loaded(folder):
    folder.chmod(0o777)
    found = find(folder)
    assert "good" not in found.collectors
    assert "this folder" in found.problems[0].message


def test_a_folder_that_does_not_exist_is_a_problem_in_words(tmp_path):
    assert "does not exist" in find(tmp_path / "nowhere").problems[0].message


def test_a_file_changed_within_the_same_second_is_read_anew(folder):
    find(folder)
    write(folder, "good.py", GOOD.replace("NAME", "gold"))
    assert "gold" in find(folder).collectors
    assert not (folder / "__pycache__").exists()


def test_every_bundled_collector_loads_without_a_problem():
    found = find_plugins([], with_entry_points=False)
    assert not found.problems
    assert found.bundled == set(found.collectors)


def test_what_did_not_change_is_the_same_class_at_the_next_look(folder):
    before = find(folder).collectors
    write(folder, "another.py", GOOD.replace("NAME", "another"))
    after = find(folder).collectors
    assert after["good"] is before["good"], "so that a reload leaves its source alone"
    assert after["prometheus"] is before["prometheus"]
    write(folder, "good.py", GOOD.replace("NAME", "good") + "\n")
    assert find(folder).collectors["good"] is not before["good"]


@pytest.mark.parametrize("text", ["x = \n", "import os\nos._exit(4)\n", "import time\ntime.sleep(60)\n"])
def test_what_a_broken_file_was_before_goes_on_and_it_is_told(folder, text, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.trial.SECONDS", 8.0)
    before = find(folder).collectors["good"]
    write(folder, "good.py", text)
    found = find(folder)
    assert found.collectors["good"] is before
    assert found.problems[0].hint == "what was read before goes on"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nos._exit(3)\n", "it ends its process while it is loaded (exit code 3)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "(signal 11)"),
        ("import time\ntime.sleep(60)\n", "it is not loaded within"),
    ],
)
def test_what_would_take_the_service_with_it_stays_outside_and_the_rest_is_loaded(folder, text, words, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.trial.SECONDS", 8.0)
    write(folder, "deadly.py", text)
    write(folder, "late.py", GOOD.replace("NAME", "late"))
    found = find(folder)
    assert {"good", "late"} <= found.collectors.keys()
    [problem] = found.problems
    assert words in problem.message


def test_a_plugin_that_never_ends_to_load_is_named_with_its_line_and_delays_no_other(folder, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.trial.SECONDS", 3.0)
    bad = write(folder, "a_spin.py", "def spin():\n    while True: pass\nspin()\n")
    for name in ("slow", "slower"):  # together they take longer than one may
        write(folder, f"b_{name}.py", f"import time\ntime.sleep(1.6)\n{GOOD.replace('NAME', name)}")
    found = find(folder)
    assert {"good", "slow", "slower"} <= found.collectors.keys()
    assert [str(problem) for problem in found.problems] == [f"{bad}: it is not loaded within 3 s: it stands at line 2"]


def test_a_broken_plugin_is_found_by_the_name_of_its_file_or_of_its_collector(folder):
    write(folder, "some.py", GOOD.replace("NAME", "gitea") + "\nbroken(\n")
    found = find(folder)
    assert found.broken("gitea").file == str(folder / "some.py")
    assert found.broken("some") is found.broken("gitea")
    assert found.broken("good") is None
