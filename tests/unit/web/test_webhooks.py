"""A webhook triggers collections if its sender holds the secret."""

import base64
import contextlib
import hashlib
import hmac
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.web.site import NOW

from bsc_monitor.web.signatures import Forged, event_time, signed_at, verify

BODY = b'{"webhookEvent": "jira:issue_updated", "timestamp": 1781429400000}'


def sign(body=BODY, secret=b"new-secret"):
    return hmac.digest(secret, body, hashlib.sha256).hex()


async def post(client, headers, body=BODY, source="itsm"):
    return await client.post(f"/webhooks/{source}", data=body, headers=headers)


def asked(client):
    return [call for call in client.board.operations.calls if call[0] == "webhook"]


STANDARD = hmac.digest(b"new-secret", b"msg_1." + str(int(NOW.timestamp())).encode() + b"." + BODY, hashlib.sha256)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": "sha256=" + sign()},
        {"X-Hub-Signature": "sha256=" + sign()},
        {"X-Signature": sign()},
        {"X-Signature": base64.b64encode(bytes.fromhex(sign())).decode()},
        {"X-Hub-Signature-256": "sha256=" + sign(secret=b"old-secret")},
        {"X-Gitlab-Token": "new-secret"},
        {"X-Gitlab-Token": "old-secret"},
        {"Authorization": "Bearer new-secret"},
        {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(NOW.timestamp())),
         "Webhook-Signature": "v1,nonsense v1," + base64.b64encode(STANDARD).decode()},
    ],
    ids=["github", "jira", "generic", "base64", "old secret", "gitlab", "gitlab old", "servicenow", "standard"],
)  # fmt: skip
async def test_each_vendors_way_of_signing_is_taken(client, headers):
    answer = await post(client, headers)
    assert (answer.status, await answer.json()) == (202, {"accepted": True, "repeated": False, "jobs": 2})
    assert len(asked(client)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": "sha256=" + sign(secret=b"guess")},
        {"X-Hub-Signature-256": "sha256=" + sign(BODY + b" ")},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature": "sha1=" + hmac.digest(b"new-secret", BODY, hashlib.sha1).hex()},
        {"X-Gitlab-Token": "guess"},
        {"X-Gitlab-Token": ""},
        {"Authorization": "Bearer guess"},
        {"X-Signature": "éé"},
        {"Webhook-Id": "msg_2", "Webhook-Timestamp": str(int(NOW.timestamp())),
         "Webhook-Signature": "v1," + base64.b64encode(STANDARD).decode()},
    ],
)  # fmt: skip
async def test_who_does_not_hold_the_secret_triggers_nothing(client, headers):
    assert (await post(client, headers)).status == 401
    assert asked(client) == []


async def test_a_source_without_a_secret_takes_no_webhooks(client):
    assert (await post(client, {"X-Signature": sign()}, source="cloud")).status == 404
    assert (await post(client, {"X-Signature": sign()}, source="unknown")).status == 404


async def test_a_repeat_is_accepted_and_triggers_nothing(client):
    headers = {"X-Hub-Signature-256": "sha256=" + sign(), "X-GitHub-Delivery": "72d3162e"}
    await post(client, headers)
    assert (await (await post(client, headers)).json())["repeated"] is True
    assert len(asked(client)) == 1


async def test_an_old_timestamp_is_a_replay(client):
    late = str((NOW - timedelta(minutes=6)).timestamp())
    assert (await post(client, {"X-Signature": sign(), "X-Timestamp": late})).status == 401
    assert (await post(client, {"X-Signature": sign(), "X-Timestamp": "yesterday"})).status == 401
    assert asked(client) == []
    good = (NOW - timedelta(minutes=1)).isoformat()
    assert (await post(client, {"X-Signature": sign(), "X-Timestamp": good})).status == 202


async def test_the_events_own_time_is_passed_on_and_never_lies_in_the_future(client):
    await post(client, {"X-Signature": sign()})
    assert asked(client)[-1][2] == datetime(2026, 6, 14, 9, 30, tzinfo=UTC)
    body = b'{"timestamp": 1999999999999}'
    await post(client, {"X-Signature": sign(body)}, body)
    assert asked(client)[-1][2] == NOW


async def test_a_body_beyond_the_cap_is_refused_before_it_is_read(client):
    answer = await post(client, {"X-Signature": sign()}, io.BytesIO(b"x" * (2 * 1024 * 1024 + 1)))
    assert answer.status == 413
    assert asked(client) == []


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "X-Signature",
                "X-Hub-Signature-256",
                "Webhook-Signature",
                "Webhook-Timestamp",
                "Authorization",
                "X-Gitlab-Token",
                "X-Timestamp",
            ]
        ),
        st.text(),
    ),
    st.binary(),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
def test_no_header_and_no_body_breaks_the_check(headers, body):
    with pytest.raises(Forged):
        verify(headers, body, ["a-secret-that-nobody-guesses"])
    with contextlib.suppress(Forged):
        signed_at(headers)
    event_time(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda of: st.lists(of, max_size=3),
        max_leaves=4,
    )
)
@settings(max_examples=60)
def test_any_json_has_a_time_or_none(document):
    found = event_time(json.dumps({"timestamp": document}).encode())
    assert found is None or found.tzinfo is not None


def test_deep_nesting_and_huge_numbers_are_only_bodies_without_a_time():
    for body in (
        b"[" * 100_000,
        b'{"timestamp": 1e999}',
        b'{"timestamp": ' + b"9" * 400 + b"}",
        b'{"timestamp": "' + b"9" * 400 + b'"}',
    ):
        assert event_time(body) is None
