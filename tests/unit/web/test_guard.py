"""Who may do what, and from where."""

import base64
import hashlib

import bcrypt
import pytest
from tests.unit.web import site

from bsc_monitor.web import AuthFileError, ServeError, create_app, load_access, serve

HASH = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4)).decode()
TOKEN = hashlib.sha256(b"robot-token").hexdigest()
FILE = f"""
[basic_auth_users]
ana = "{HASH}"
olu = "{HASH}"
vic = "{HASH}"
[roles]
ana = "admin"
olu = "operator"
[tokens.grafana]
sha256 = "{TOKEN}"
[trusted_proxy]
peers = ["127.0.0.0/8"]
user_header = "X-User"
role_header = "X-Role"
"""


def basic(name, password="open sesame"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
async def guarded(serving, tmp_path):
    file = tmp_path / "web.toml"
    file.write_text(FILE)
    return await serving(auth=load_access(file).auth)


async def test_nobody_sees_anything_without_signing_in(guarded):
    for path in ("/", "/metrics", "/api/v1/kpis", "/events", "/badge/it.svg"):
        answer = await guarded.get(path)
        assert (answer.status, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert (await guarded.get("/-/healthy")).status == 200


@pytest.mark.parametrize(
    "headers",
    [basic("ana", "wrong"), basic("nobody"), {"Authorization": "Bearer wrong"}, {"Authorization": "Basic !!!"},
     {"Authorization": "Basic " + "A" * 5000}, {"Authorization": "Negotiate x"}, {"Authorization": "Basic"}],
)  # fmt: skip
async def test_wrong_credentials_are_refused(guarded, headers):
    assert (await guarded.get("/", headers=headers)).status == 401


async def test_each_role_may_what_it_may(guarded):
    wanted = {"vic": (200, 403, 403), "olu": (200, 303, 403), "ana": (200, 303, 200)}
    for name, statuses in wanted.items():
        seen = (
            (await guarded.get("/", headers=basic(name))).status,
            (await guarded.post("/kpis/it/mttr/comment", data={"text": "x"}, headers=basic(name), allow_redirects=False)).status,
            (await guarded.post("/-/reload", headers=basic(name))).status,
        )  # fmt: skip
        assert seen == statuses, name
    assert ("comment", "kpi:it/mttr", "x", "olu") in guarded.board.operations.calls


async def test_a_right_password_is_known_again_without_the_slow_hash_and_a_wrong_one_never(guarded):
    for _ in range(2):
        assert (await guarded.get("/", headers=basic("ana"))).status == 200
        assert (await guarded.get("/", headers=basic("ana", "guess"))).status == 401


async def test_a_token_is_a_viewer_unless_the_file_says_more(guarded):
    headers = {"Authorization": "Bearer robot-token"}
    assert (await guarded.get("/metrics", headers=headers)).status == 200
    assert (await guarded.post("/-/reload", headers=headers)).status == 403


async def test_a_trusted_proxy_names_the_user_and_a_stranger_does_not(guarded):
    headers = {"X-User": "eva", "X-Role": "operator"}
    answer = await guarded.post("/kpis/it/mttr/comment", data={"text": "hi"}, headers=headers, allow_redirects=False)
    assert answer.status == 303
    assert guarded.board.operations.calls[-1][-1] == "eva"
    guarded.board.auth.proxy = None
    assert (await guarded.get("/", headers=headers)).status == 401


async def test_controls_are_only_shown_to_those_who_may_use_them(guarded):
    assert 'class="can-operate"' not in await (await guarded.get("/alerts", headers=basic("vic"))).text()
    assert 'class="can-operate"' in await (await guarded.get("/alerts", headers=basic("olu"))).text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
    ],
)
async def test_another_sites_page_cannot_change_anything(client, headers, status):
    assert (await client.post("/-/reload", headers=headers)).status == status


async def test_the_boards_own_page_may_change_things(client):
    origin = str(client.make_url("/")).rstrip("/")
    assert (await client.post("/-/reload", headers={"Origin": origin})).status == 200


async def test_without_sign_in_only_this_machines_own_names_are_answered(serving):
    client = await serving(url="https://board.example.com")
    assert (await client.get("/", headers={"Host": "rebound.evil.example"})).status == 421
    assert (await client.get("/", headers={"Host": "board.example.com"})).status == 200
    assert (await client.get("/", headers={"Host": "localhost:1234"})).status == 200


async def test_every_answer_forbids_scripts_from_elsewhere_and_framing(client):
    for path in ("/", "/metrics", "/api/v1/kpis", "/nothing", "/static/board.css", "/badge/it.svg"):
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_public_address_without_sign_in_is_refused(store):
    with pytest.raises(ServeError, match="there is no sign-in") as caught:
        await serve(create_app(site.make_board(store)), "0.0.0.0", 0)
    assert "service.auth" in caught.value.hint


async def test_a_taken_port_is_said_in_words(store):
    served = await serve(create_app(site.make_board(store)), "127.0.0.1", 0)
    with pytest.raises(ServeError, match=f"cannot listen on 127.0.0.1:{served.port}"):
        await serve(create_app(site.make_board(store)), "127.0.0.1", served.port)
    await served.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[basic_auth_users]\nana = 'plain-password'", "basic_auth_users.ana is not a bcrypt hash"),
        ("[roles]\nana = 'admin'", "there is no such user"),
        ("[tokens.x]\nsha256 = 'plain-token'", "tokens.x.sha256"),
        ("[tokens.x]\nsha256 = '" + "0" * 64 + "'\nrole = 'king'", "tokens.x.role"),
        ("[nonsense]", "nonsense"),
        ("not toml", "is not TOML"),
        ("[tls_server_config]\ncert_file = 'none.crt'\nkey_file = 'none.key'", "the certificate cannot be used"),
    ],
)
def test_a_mistake_in_the_auth_file_is_named_and_no_secret_is_printed(tmp_path, text, message):
    file = tmp_path / "web.toml"
    file.write_text(text)
    with pytest.raises(AuthFileError) as caught:
        load_access(file)
    assert message in caught.value.message
    assert "plain-" not in str(caught.value)


def test_an_auth_file_that_names_nobody_gives_no_sign_in(tmp_path):
    file = tmp_path / "web.toml"
    file.write_text("")
    assert load_access(file).auth is None
    with pytest.raises(AuthFileError, match="cannot be read"):
        load_access(tmp_path / "missing.toml")


def test_secrets_do_not_show_in_reprs(tmp_path):
    file = tmp_path / "web.toml"
    file.write_text(FILE)
    shown = repr(load_access(file))
    assert HASH not in shown
    assert TOKEN not in shown
