"""The generated company's bills tell their story, the same by the same seed; signatures are checked as botocore makes them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from multidict import CIMultiDict

from bsc_monitor.sandbox.cloud.focus_export import write
from bsc_monitor.sandbox.cloud.sigv4 import BadSignatureError, verify
from bsc_monitor.sandbox.company import cost

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # the story runs from 2024-12
KEYS = {"demo": "demo"}


def bills(seed=1, now=NOW):
    return cost.ledger(seed, lambda: now)


def billed(book, first, provider="AWS"):
    end = (first + timedelta(days=31)).replace(day=1)
    return sum(c.billed * share for c, share in book.between(first, end, provider) if c.kind != "Tax")


def idle(book, first):
    end = (first + timedelta(days=31)).replace(day=1)
    work = [w for day, found in book.workloads.items() if first <= day < end for w in found]
    return sum(w.cost for w in work if w.namespace == "__idle__") / sum(w.cost for w in work)


def test_aws_drifts_over_its_budget_and_azure_does_not():
    book, budgets = bills(), bills().budgets
    months = [date(2025, 1, 1), date(2025, 9, 1), date(2026, 1, 1), date(2026, 5, 1)]
    over = [billed(book, month) / budgets[cost.PAYER][month] - 1 for month in months]
    azure = [billed(book, month, "Microsoft") / budgets[cost.SUBSCRIPTION][month] - 1 for month in months]

    assert over[0] < 0 < 0.1 < over[2] < over[3]
    assert over[3] == pytest.approx(0.21, abs=0.03)
    assert all(-0.09 < each < 0 for each in azure)


def test_right_sizing_lowers_the_idle_share():
    book = bills()

    assert idle(book, date(2025, 8, 1)) == pytest.approx(0.38, abs=0.02)
    assert idle(book, date(2026, 5, 1)) == pytest.approx(0.20, abs=0.02)


def test_the_same_seed_tells_the_same_days_whenever_it_is_started_in_a_month():
    early, late, other = bills(7), bills(7, NOW + timedelta(days=9)), bills(8)

    assert all(early.charges[day] == late.charges[day] for day in early.charges)
    assert early.workloads[date(2026, 1, 5)] == late.workloads[date(2026, 1, 5)]
    assert early.charges[date(2026, 1, 5)] != other.charges[date(2026, 1, 5)]


def test_recent_days_are_under_reported_and_grow():
    clock = [NOW]
    book = cost.ledger(1, lambda: clock[0])
    shares = [book.reported(date(2026, 6, number)) for number in (13, 14, 15, 16)]
    clock[0] += timedelta(days=2)

    assert shares == [1.0, 0.75, 0.25, 0.0]
    assert book.reported(date(2026, 6, 15)) == 1.0


def test_a_month_stays_an_estimate_until_the_fifth_of_the_next():
    assert bills(now=datetime(2026, 6, 5, 12, tzinfo=UTC)).estimated(date(2026, 5, 31))
    assert not bills(now=datetime(2026, 6, 6, 12, tzinfo=UTC)).estimated(date(2026, 5, 31))


def test_the_export_is_written_by_provider_and_billing_period(tmp_path):
    files = write(bills(), tmp_path)

    assert len(files) == 2 * 19
    assert {file.name for file in files} >= {"AWS-2024-12.csv", "Microsoft-2026-06.csv"}


def signed(body=b"{}", url="http://127.0.0.1:9880/aws/", service="ce", secret="demo"):
    request = AWSRequest("POST", url, headers={"X-Amz-Target": "a.b", "Content-Type": "x"}, data=body)
    SigV4Auth(Credentials("demo", secret), service, "us-east-1").add_auth(request)
    return CIMultiDict({**dict(request.headers.items()), "Host": "127.0.0.1:9880"})


def check(headers, body=b"{}", path="/aws/"):
    return verify("POST", path, {}, headers, body, KEYS)


def test_what_botocore_signs_is_accepted_and_names_its_service():
    assert check(signed()) == "ce"
    assert check(signed(service="budgets")) == "budgets"
    assert check(signed(url="http://127.0.0.1:9880/a%20b/"), path="/a%20b/") == "ce"


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda h: h.update({"X-Amz-Target": "a.c"}), "InvalidSignatureException"),
        (lambda h: h.update({"Host": "elsewhere"}), "InvalidSignatureException"),
        (lambda h: h.update({"X-Amz-Date": "20200101T000000Z"}), "InvalidSignatureException"),
        (lambda h: h.update({"X-Amz-Date": "yesterday"}), "IncompleteSignatureException"),
        (lambda h: h.pop("Authorization"), "MissingAuthenticationTokenException"),
        (lambda h: h.update({"Authorization": "Basic ZGVtbzpkZW1v"}), "MissingAuthenticationTokenException"),
        (lambda h: h.update({"Authorization": h["Authorization"].replace("demo/", "root/")}), "UnrecognizedClientException"),
        (lambda h: h.update({"Authorization": h["Authorization"].replace("us-east-1", "eu-west-1")}), "InvalidSignatureException"),
        (lambda h: h.update({"Authorization": h["Authorization"].replace(";x-amz-target", "")}), "InvalidSignatureException"),
    ],
)  # fmt: skip
def test_anything_changed_after_signing_is_refused(spoil, kind):
    headers = signed()
    spoil(headers)

    with pytest.raises(BadSignatureError) as refused:
        check(headers)

    assert refused.value.kind == kind


def test_another_body_or_secret_is_refused():
    for headers, body in ((signed(), b'{"a": 1}'), (signed(secret="other"), b"{}")):
        with pytest.raises(BadSignatureError, match="does not match"):
            check(headers, body)
