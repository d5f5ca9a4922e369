"""Nothing of the machine it was written on is in the repository, and what it is made of is small."""

import re

from tests.unit.docs.documents import ROOT, committed_files, documents, text

# In pieces, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(["/" + "work/(?:main|shared)", "/" + "root/", "/" + "opt/(?:wheels|pypi)", "/" + "home/[a-z]", "pypi" + r"\.org/simple",
              "pythonhosted" + r"\.org", "registry" + r"\.npmjs", r"--(?:extra-)?index" + "-url[ =]", "find" + "-links"]).encode()
)  # fmt: skip


def test_no_file_names_a_path_of_a_machine_or_a_package_registry():
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in committed_files()
        if (match := MACHINE.search(path.read_bytes()))
    ]
    assert found == []


def test_pictures_are_small():
    pictures = [path for path in (ROOT / "docs/images").iterdir() if path.suffix == ".png"]
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > 200_000] == []


def test_every_picture_is_shown_somewhere():
    said = "".join(text(path) for path in documents())
    assert [path.name for path in (ROOT / "docs/images").iterdir() if path.name not in said] == []


def test_the_lock_pins_every_package_with_hashes():
    for name in ("requirements.txt", "docker/requirements.txt", "docker/build.txt"):
        content = text(name)
        packages = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==", content, re.MULTILINE)
        assert packages
        assert content.count("--hash=sha256:") >= len(packages), name


def test_what_the_project_needs_is_in_the_lock():
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))
    extras = project["project"]["optional-dependencies"].values()
    wanted = [
        *project["project"]["dependencies"],
        *(each for extra in extras for each in extra),
        *(each for group in project["dependency-groups"].values() for each in group if isinstance(each, str)),
    ]
    names = [re.split(r"[\[<>=!~; ]", each)[0].lower().replace("_", "-") for each in wanted]
    locked = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==", text("requirements.txt"), re.MULTILINE))
    assert [name for name in names if name not in locked] == []
