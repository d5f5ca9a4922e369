from tests.unit.config.site import GOOD, line_of, load_text, problems_of

from bsc_monitor.config import ConfigError

CANARY = "canary-7f3a9"


def test_a_secret_from_the_environment_reaches_the_plugin_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_PASSWORD", CANARY)

    configuration = load_text(tmp_path, GOOD)

    assert configuration.sources["itsm"].config.password.reveal() == CANARY
    assert CANARY not in repr(configuration) + str(configuration.sources)


def test_a_secret_from_a_file_loses_its_line_end(tmp_path):
    (tmp_path / "secret").write_text(CANARY + "\n")

    configuration = load_text(tmp_path, GOOD.replace('{ env = "DESK_PASSWORD" }', '{ file = "secret" }'))

    assert configuration.sources["itsm"].config.password.reveal() == CANARY


def test_a_bare_secret_works_and_is_warned_about(tmp_path):
    text = GOOD.replace('{ env = "DESK_PASSWORD" }', f'"{CANARY}"')

    configuration = load_text(tmp_path, text)

    assert configuration.sources["itsm"].config.password.reveal() == CANARY
    assert [(w.key, w.line) for w in configuration.warnings] == [("sources.itsm.password", line_of(text, CANARY))]
    assert CANARY not in repr(configuration)


def test_a_bare_secret_that_looks_like_a_variable_is_said_not_to_be_one(tmp_path):
    configuration = load_text(tmp_path, GOOD.replace('{ env = "DESK_PASSWORD" }', '"${DESK_PASSWORD}"'))

    (warning,) = configuration.warnings
    assert warning.message == "this secret begins with $ and is sent as it stands"
    assert warning.hint == 'use { env = "NAME" } or { file = "PATH" }'


def test_secrets_inside_tables_and_lists_of_a_plugin_are_resolved(tmp_path):
    text = GOOD.replace("every =", 'headers = { X-Api-Key = { env = "DESK_PASSWORD" } }\nevery =')

    assert load_text(tmp_path, text).sources["itsm"].config.headers["X-Api-Key"].reveal() == "correct-horse"


def test_no_secret_stands_in_the_error_of_another_key(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_PASSWORD", CANARY)
    texts = (
        GOOD.replace("https://desk.example.com", CANARY),
        GOOD.replace("every =", f'pass = "{CANARY}"\nevery ='),
        GOOD.replace('{ env = "DESK_PASSWORD" }', f'["{CANARY}"]'),
        GOOD.replace('{ env = "DESK_PASSWORD" }', f'{{ env = "DESK_PASSWORD", x = "{CANARY}" }}'),
    )
    for text in texts:
        problems = problems_of(tmp_path, text)
        assert problems
        assert CANARY not in str(ConfigError(problems)) + repr(problems)


def test_receivers_take_secrets_the_same_way(tmp_path, monkeypatch):
    monkeypatch.setenv("OPS_URL", f"mailto://{CANARY}@example.com")
    text = GOOD + (
        '[receivers.ops]\napprise = [{ env = "OPS_URL" }]\n'
        'webhook = { url = "https://hook.example.com", secret = { env = "OPS_URL" } }\n'
        '[routes.default]\nreceivers = ["ops"]\n'
    )

    configuration = load_text(tmp_path, text)

    assert CANARY in configuration.receivers["ops"].apprise[0].get_secret_value()
    assert CANARY not in repr(configuration)
    assert configuration.warnings == ()


def test_a_database_address_may_be_a_secret_and_is_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE", f"postgresql://bsc:{CANARY}@db/bsc")
    text = GOOD.replace("[service]", '[service]\ndatabase = { env = "DATABASE" }')

    configuration = load_text(tmp_path, text)

    assert CANARY in configuration.service.database
    assert CANARY not in repr(configuration)
