"""Lines of keys: a look at the headers alone says what the whole parse says."""

import tomli
from hypothesis import given
from hypothesis import strategies as st

from bsc_monitor.config.positions import Positions

HEADERS = ["[kpis.a]", "[kpis.b] # said", "  [ kpis.a.x ]", "[kpis]", "[[steps]]", '[kpis."c d"]', "[kpis.e.f.g]\r"]
LINES = [
    "",
    "# [kpis.z]",
    "red = 3",
    'text = """',
    "[kpis.b]",
    '"""',
    "curve = [",
    "[1]",
    "[[1, 2],",
    "]",
    "  x = { y = 1 }",
]
PATHS = [("kpis",), ("kpis", "a"), ("kpis", "b"), ("kpis", "a", "x"), ("kpis", "e"), ("kpis", "e", "f", "g"), ("kpis", "c d"),
         ("steps", 0), ("kpis", "a", "red"), ("kpis", "b", "x", "y"), ()]  # fmt: skip


def whole(source):
    """Positions from a parse of the whole."""
    return Positions(source + b"\n[[last]]")


@given(st.lists(st.sampled_from(HEADERS + LINES), max_size=12), st.sampled_from(PATHS))
def test_a_look_at_the_headers_says_what_the_whole_parse_says(lines, path):
    source = "\n".join(lines).encode()
    try:
        tomli.loads(source.decode())
    except tomli.TOMLDecodeError:
        return  # positions are asked of valid documents alone

    assert Positions(source).line(path) == whole(source).line(path)


def test_keys_of_one_table_are_found_without_a_parse_of_the_others():
    positions = Positions(b"x = 1\n[kpis.a]\nred = 1\n\n[kpis.b]\n# here\nred = { y = 2 }\n")

    assert positions.line(("kpis", "b", "red", "y")) == 7
    assert positions.line(("x",)) == 1
    assert ("kpis", "a", "red") not in positions._lines


def test_a_header_inside_a_text_is_none():
    assert Positions(b'[kpis.a]\nt = """\n[kpis.b]\n"""\n[kpis.b]\n').line(("kpis", "b")) == 5
