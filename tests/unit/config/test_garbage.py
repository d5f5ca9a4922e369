"""Whatever the file holds, the answer is a configuration or a ConfigError."""

import json
import math
import string
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.config.site import GOOD, find_collectors, load_text, problems_of

from bsc_monitor.config import ConfigError, load


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (bytes(range(256)) * 40, 2, "is not UTF-8 text"),
        (b"a = 1\n\xff", 2, "is not UTF-8 text (save it as UTF-8)"),
        (b"[service]\nlisten = ", 2, "this is not TOML"),
        (b"[service]\n\0", 2, "this is not TOML"),
        (b'[scorecards.x]\ntitle = "\\ud800"', 2, "not a Unicode scalar value"),
        (b"a = " + b"[" * 100_000, 0, "nested too deeply"),
        (b"[service]\nlisten = " + b"9" * 10_000, 2, "service.listen: a number of 10,000 digits cannot be read"),
        (b"[a]\nb = 1\nb = 2\n", 3, "is written twice"),
        (b"x" * (33 * 1024 * 1024), 0, "is larger than 32 MB"),
    ],
    ids=["binary", "latin-1", "cut off", "NUL", "lone surrogate", "deep", "long number", "twice", "huge"],
)  # fmt: skip
def test_a_file_that_is_no_toml_is_one_error_in_words(content, line, words, tmp_path):
    problems = problems_of(tmp_path, content)

    assert len(problems) == 1
    assert words in str(problems[0])
    assert problems[0].line == line


def test_ten_megabytes_of_comments_are_read(tmp_path):
    assert problems_of(tmp_path, GOOD + "# nothing to see\n" * 600_000) == []


def test_a_folder_in_place_of_a_file_is_said(tmp_path):
    (tmp_path / "config.toml").mkdir()

    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path / "config.toml", find_collectors)


def test_a_title_may_hold_quotes_markup_and_any_script(tmp_path):
    title = """<script>alert("ü 漢字 🚀 'x'")</script> {not a hole}"""
    text = GOOD.replace('title = "IT"', f"title = '''{title}'''")

    assert load_text(tmp_path, text).organisation.scorecards["it"].title == title


def test_texts_are_kept_in_one_unicode_form(tmp_path):
    text = GOOD.replace('title = "IT"', 'title = "Bu\u0308ro"')

    assert load_text(tmp_path, text).organisation.scorecards["it"].title == "B\u00fcro"


def test_a_message_never_carries_control_characters_to_the_terminal(tmp_path):
    text = GOOD.replace("red = 24", '"\\u001b[31mred\\n" = 24')

    assert all(c.isprintable() for problem in problems_of(tmp_path, text) for c in str(problem))


def test_deep_tables_inside_parameters_are_an_error_and_no_crash(tmp_path):
    text = GOOD.replace('query = "priority=1"', "query = " + "[" * 390 + "]" * 390)

    assert [problem.key for problem in problems_of(tmp_path, text)] == ["kpis.mttr.params.query"]


def test_an_empty_file_is_a_configuration_of_nothing(tmp_path):
    assert load_text(tmp_path, "").organisation.kpis == {}


WORDS = st.sampled_from(
    ["service", "kpis", "mttr", "objectives", "fast", "scorecards", "it", "target", "red", "include", "sources", "templates",
     "weight", "params", "with", "alerts", "routes", "from", "env", "formula", "perspectives", "curve", "parent", "drives"]
)  # fmt: skip
KEYS = WORDS | st.text(string.ascii_lowercase, min_size=1, max_size=3)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | WORDS
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def toml(value):
    """A value as TOML writes it inline."""
    if value is None or isinstance(value, str):
        return json.dumps(value or "", ensure_ascii=True) if not _astral(value) else '"x"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


def _astral(text):
    return any(ord(c) > 0xFFFF for c in text or "")


LINES = st.one_of(
    st.builds(lambda table, name, sub: f"[{table}.{name}{sub}]", KEYS, KEYS, st.sampled_from(["", ".x", ".kpis.a", ".with"])),
    st.builds(lambda key, value: f"{key} = {toml(value)}", KEYS, VALUES),
    st.sampled_from(GOOD.splitlines()),
    st.text(max_size=10),
)  # fmt: skip
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(lines=st.lists(LINES, max_size=25))
def test_any_text_at_all_is_a_configuration_or_a_config_error(lines, tmp_path):
    for problem in problems_of(tmp_path, "\n".join(lines).encode("utf-8", "surrogatepass")):
        assert problem.message
        assert str(problem).isprintable()


@FUZZ
@given(place=st.integers(0, len(GOOD.splitlines()) - 1), line=LINES)
def test_a_right_configuration_with_any_one_line_changed_is_a_configuration_or_a_config_error(place, line, tmp_path):
    lines = GOOD.splitlines()
    lines[place] = line

    for problem in problems_of(tmp_path, "\n".join(lines).encode("utf-8", "surrogatepass")):
        assert 0 <= problem.line <= len(lines) + line.count("\n") + 1


@FUZZ
@given(content=st.binary(max_size=300))
def test_any_bytes_at_all_are_a_configuration_or_a_config_error(content, tmp_path):
    problems_of(tmp_path, content)
