"""The tutorial, followed to the letter: its code blocks are written, run and believed in the order in which they stand."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers import free_port, wait_until

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tutorial" / "collector.md"
BLOCK = re.compile(r"^```(\w+) (\w+)(?:=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody with a terminal who does what the page says, on ports that are free here."""

    def __init__(self, folder):
        self.folder = folder
        self.here = folder
        self.ports = {"3000": str(free_port()), "9877": str(free_port())}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "COLUMNS": "200"}
        self.background = []
        self.done = []

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def replace(self, name, text):
        """The page says to replace the last two lines."""
        file = self.folder / name
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:-2]) + text)

    def bash(self, text):
        script = f"set -e\n{text}\npwd > {self.folder}/.pwd; env -0 > {self.folder}/.env\n"
        ran = subprocess.run(
            ["bash", "-c", script], cwd=self.here, env=self.environment, capture_output=True, text=True, timeout=180
        )
        if ran.returncode == 0:
            self.here = Path((self.folder / ".pwd").read_text().strip())
            pairs = (self.folder / ".env").read_text().split("\0")
            self.environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        return ran

    def follow(self, kind, argument, text):
        for old, new in self.ports.items():
            text = text.replace(old, new)
        if kind == "file":
            self.write(argument, text)
        elif kind == "replace":
            self.replace(argument, text)
        elif kind == "background":
            log = (self.folder / "background.log").open("a")
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {text}"], cwd=self.here, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            self.background.append((process, log))
        elif kind == "until":
            wait_until(lambda: self.bash(text).returncode == 0, text, 60)
        else:
            ran = self.bash(text)
            assert (ran.returncode == 0) == (kind == "run"), f"{text}\n{ran.stdout}\n{ran.stderr}"
            self.done.append((text, ran.stdout + ran.stderr))

    def said(self, command):
        """What a command of the page printed, the last time."""
        return [output for text, output in self.done if command in text][-1]

    def leave(self):
        for process, log in self.background:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)
            log.close()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    reader = Reader(tmp_path_factory.mktemp("tutorial"))
    try:
        blocks = BLOCK.findall(PAGE.read_text())
        assert len(blocks) == PAGE.read_text().count("```") // 2, "each block says what is to be done with it"
        for _, kind, argument, text in blocks:
            reader.follow(kind, argument, text)
        yield reader
    finally:
        reader.leave()


def test_the_tutorial_works_from_its_text_alone(reader):
    assert "2 passed" in reader.said("pytest")
    assert "All is well" in reader.said("plugin check")


def test_what_the_page_promises_on_the_way_is_so(reader):
    first = next(output for text, output in reader.done if "plugin check" in text)
    assert "KeyError" in first
    assert "60.0" in reader.said("--replay"), "seven open pull requests score 60 of 100"
    assert "auth" in reader.said("GITEA_TOKEN=wrong")
    assert "s3cret" not in "".join(output for _, output in reader.done)


def test_every_file_is_named_in_the_text_before_it_is_shown():
    page = PAGE.read_text()
    for block in BLOCK.finditer(page):
        if block[2] in ("file", "replace"):
            name = block[3].removeprefix("scorecard/")
            read = BLOCK.sub("", page[: block.start()]).rpartition("\n## ")[2]
            assert f"`{name}`" in read, f"somebody who reads the page as it is shown cannot know that this is {name}"
