"""Links and names in the documents lead to something."""

import re

import pytest
from tests.unit.docs.documents import ROOT, documents, text

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SOURCE = re.compile(r'(?:src|srcset|href)="([^"]+)"')
PATH = re.compile(r"`([A-Za-z0-9_.{}-]+(?:/[A-Za-z0-9_.*{}-]+)+/?|[A-Z]+\.md|Makefile|pyproject\.toml)`")


def without_code(content):
    return re.sub(r"^```.*?^```$", "", content, flags=re.MULTILINE | re.DOTALL)


def anchors(content):
    """The ids that a page's headings get, as code hosts make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(content), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def links(path):
    content = without_code(text(path))
    return [
        each
        for each in (*LINK.findall(content), *SOURCE.findall(content))
        if "://" not in each and not each.startswith("mailto:")
    ]


@pytest.mark.parametrize("path", documents(), ids=str)
def test_every_link_between_documents_resolves(path):
    broken = []
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (ROOT / path).parent / name if name else ROOT / path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target.read_text("utf-8"))
        ):
            broken.append(link)
    assert broken == []


def test_a_broken_link_would_be_seen():
    assert anchors("# One `two`: three\n## Four") == {"one-two-three", "four"}
    assert LINK.findall("see [this](that.md#there)") == ["that.md#there"]


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/explanation/architecture.md", "README.md"])
def test_every_path_that_the_map_names_exists(name):
    named = [each for each in PATH.findall(without_code(text(name))) if not each.startswith(("/", "api/"))]
    assert named
    assert [each for each in named if not list(ROOT.glob(each.rstrip("/")))] == []


def test_every_room_is_on_the_map():
    rooms = [each for each in (ROOT / "src/bsc_monitor").iterdir() if not each.name.startswith("_")]
    names = [f"{each.name}/" if each.is_dir() else each.name for each in rooms if each.is_dir() or each.suffix == ".py"]
    map_ = text("CONTRIBUTING.md")
    assert [name for name in names if f"src/bsc_monitor/{name}" not in map_] == []
