"""check refuses what would go wrong later, where only running it would tell otherwise."""

import pytest
import typer
from typer.testing import CliRunner

from bsc_monitor.cli import check
from bsc_monitor.config import ConfigError

CONFIG = """
[scorecards.it]
[objectives.fast]
scorecard = "it"
perspective = "customer"
[kpis.load]
objective = "fast"
formula = "1"
red = 0
target = 1
"""
HASH = "$2b$04$abcdefghijklmnopqrstuuW5jkNkaSdgZ3xCFXUpFbJc9b0wYWKRa"


@pytest.fixture
def checked(tmp_path):
    """Check a configuration: the printed text, or the mistakes."""
    app = typer.Typer()
    check.register(app)

    def run(text):
        file = tmp_path / "config.toml"
        file.write_text(text + CONFIG)
        result = CliRunner().invoke(app, ["--config", str(file)])
        if isinstance(result.exception, ConfigError):
            return [str(problem).replace(f"{tmp_path}/", "") for problem in result.exception.problems]
        assert result.exception is None, result.exception
        return result.output

    return run


def test_a_right_configuration_is_said_to_be_right(checked):
    assert "OK 1 scorecard, 1 objective, 1 KPI," in checked("")


def test_an_address_that_apprise_does_not_know_is_refused_without_its_secrets(checked):
    said = checked('[receivers.ops]\napprise = [\n"mailtos://u:p@example.com",\n"foo://u:hush@example.com"]\n')

    assert [text for text in said if "Apprise" in text] == [
        (
            "config.toml:4: receivers.ops.apprise[1]: the address foo://… is none that Apprise understands "
            "(as mailtos://user:password@example.com)"
        )
    ]
    assert "hush" not in "".join(said)


def test_a_sign_in_file_that_names_nobody_does_not_open_the_board_to_all(checked, tmp_path):
    (tmp_path / "web.toml").write_text("[basic_auth_users]\n")

    assert checked('[service]\nauth = "web.toml"\nlisten = "0.0.0.0:9877"\n') == [
        (
            "config.toml:3: service.listen: 0.0.0.0 can be reached from other machines, and web.toml names nobody "
            "(add users or tokens, or listen on 127.0.0.1)"
        )
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "web.toml cannot be read: No such file"),
        ("users =", "web.toml is not TOML"),
        ('[basic_auth_users]\nann = "plain"\n', "basic_auth_users.ann is not a bcrypt hash (make one with: htpasswd"),
        ('[tls_server_config]\ncert_file = "a"\nkey_file = "b"\n', "the certificate cannot be used"),
    ],
)
def test_a_sign_in_file_that_cannot_be_used_is_refused(content, words, checked, tmp_path):
    if content is not None:
        (tmp_path / "web.toml").write_text(content)

    (problem,) = checked('[service]\nauth = "web.toml"\n')

    assert problem.startswith("config.toml:2: service.auth: ")
    assert words in problem


def test_with_users_the_board_may_be_open_to_all(checked, tmp_path):
    (tmp_path / "web.toml").write_text(f'[basic_auth_users]\nann = "{HASH}"\n')

    assert "OK" in checked('[service]\nauth = "web.toml"\nlisten = "0.0.0.0:9877"\n')
