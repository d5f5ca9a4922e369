"""Code in the documents is code: configurations load, commands and options exist, YAML and JSON can be read."""

import json
import re
import shlex
import tomllib

import pytest
import typer
import yaml
from tests.unit.docs.documents import ROOT, blocks

from bsc_monitor.cli import build_app
from bsc_monitor.cli.frame import load_all
from bsc_monitor.cli.rule_file import RuleTests
from bsc_monitor.web.auth import file as auth_file

HEADER = re.compile(r"^\[([a-z]+(?:\.[a-z0-9_-]+)?)[.\]]", re.MULTILINE)
APP = typer.main.get_command(build_app())


def tables(content):
    """A configuration's text, table by table: what stands under each ``[table.id]``."""
    starts = list(HEADER.finditer(content))
    ends = [*[match.start() for match in starts[1:]], len(content)] if starts else []
    return [(match[1], content[match.start() : end]) for match, end in zip(starts, ends, strict=True)]


def completed(fragment):
    """The demo organisation's tables that a fragment does not bring itself, for it to refer to."""
    own = {name for name, _ in tables(fragment)}
    demo = (ROOT / "config.toml").read_text("utf-8")
    return "\n".join(content for name, content in tables(demo) if name not in own)


OWN_TESTS = "docs/tutorial/"  # whose blocks are parts, and are followed by a test of their own


def is_whole(block):
    return "web.toml" not in block.info and not block.file.startswith(OWN_TESTS)


@pytest.mark.parametrize("block", [each for each in blocks("toml") if is_whole(each)], ids=str)
def test_a_configuration_in_the_documents_loads(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r'env = "(\w+)"', block.text):
        monkeypatch.setenv(name, "sqlite:///x.db" if "DATABASE" in name else "mailto://user:secret@example.com")
    text = re.sub(r'file = "[^"]+"', 'file = "secret"', block.text)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "web.toml").write_text("")
    (tmp_path / "surveys").mkdir()
    include = "" if re.search(r"^include", text, re.MULTILINE) else 'include = ["rest.toml"]\n'
    (tmp_path / "config.toml").write_text(include + text)
    (tmp_path / "rest.toml").write_text(completed(text))
    load_all(tmp_path / "config.toml")


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_toml_block_is_toml(block):
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", [each for each in blocks("toml") if "web.toml" in each.info], ids=str)
def test_an_auth_file_in_the_documents_loads(block, tmp_path, monkeypatch):
    monkeypatch.setattr(auth_file, "_context", lambda form, file: None)  # the certificates are the reader's
    (tmp_path / "web.toml").write_text(block.text)
    assert auth_file.load_access(tmp_path / "web.toml").auth is not None


def calls(block):
    """The words of every call of bsc-monitor in a shell block."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\||;", line.partition(" #")[0]):
            words = shlex.split(part) if part.count("'") % 2 == 0 and part.count('"') % 2 == 0 else part.split()
            while words and (re.fullmatch(r"\w+=\S*", words[0]) or words[0] == "sudo"):
                words = words[1:]
            if words and words[0].rpartition("/")[2] == "bsc-monitor":
                yield words[1:]


def mistakes(words):
    """What there is not in a call: verbs, options."""
    command, found = APP, []
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    found += [word for word in given if word not in options | {"--help"}]
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if hasattr(command, "commands") and not command.invoke_without_command and not given:
        found.append(" ".join(words[:1]) or "a verb is missing")
    needed = [parameter for parameter in arguments if parameter.required]
    if len([word for word in words if not word.startswith("-")]) < len(needed):
        found.append(f"{command.name} needs {len(needed)} arguments")
    return found


@pytest.mark.parametrize("block", blocks("sh", "bash", "console"), ids=str)
def test_commands_in_the_documents_exist_with_their_options(block):
    assert [(words, found) for words in calls(block) if (found := mistakes(words))] == []


def test_a_wrong_command_would_be_seen():
    assert mistakes(["serve"]) == ["serve"]
    assert mistakes(["status", "--colour"]) == ["--colour"]
    assert mistakes(["silence", "add"]) == ["add needs 1 arguments"]
    assert mistakes(["silence", "add", "kpi=mttr", "--for", "2h"]) == []


@pytest.mark.parametrize("block", blocks("yaml", "json"), ids=str)
def test_data_in_the_documents_can_be_read(block):
    data = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    if isinstance(data, dict) and "tests" in data:
        RuleTests.model_validate(data)
    assert data


@pytest.mark.parametrize("block", [each for each in blocks("python") if not each.file.startswith(OWN_TESTS)], ids=str)
def test_python_in_the_documents_compiles(block):
    compile(block.text, str(block), "exec")
