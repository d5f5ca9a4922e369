"""The company's bills as a FOCUS 1.0 export: one CSV file for each provider and billing period, as providers drop them."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, timedelta
from pathlib import Path

from bsc_monitor.sandbox.cloud.ledger import Charge, Ledger

COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountStatus", "ContractedCost", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "PricingCategory", "ProviderName", "PublisherName", "RegionId", "RegionName",
    "ServiceCategory", "ServiceName", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
_DAY = timedelta(days=1)
_PLANS = {"AWS": "arn:aws:savingsplans::111122223333:savingsplan/demo", "Microsoft": "/providers/Microsoft.Capacity/reservationOrders/demo"}  # fmt: skip


_OURS = re.compile(r"(AWS|Microsoft)-\d{4}-\d\d\.csv(\.new)?")
_MARK = ".of-the-sandbox"  #: lies in every folder that may be written over


def write(ledger: Ledger, folder: Path) -> list[Path]:
    """Write everything that is reported by now, in place of an earlier run's files; what did not change is left alone.

    Raises OSError, and ValueError where the folder holds files of somebody else's: they would be taken for the company's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = [path.name for path in folder.iterdir() if path.name != _MARK]
    others = [name for name in found if not _OURS.fullmatch(name)] if (folder / _MARK).exists() else found
    if others:
        raise ValueError(f"{folder} holds {others[0]}, which is not the sandbox's: give it a folder of its own")
    if not (folder / _MARK).exists():
        (folder / _MARK).touch()
    rows: dict[str, list[dict[str, str]]] = {}
    for provider in ("AWS", "Microsoft"):
        for charge, share in ledger.between(min(ledger.charges), ledger.now().date() + _DAY, provider):
            billed_in = _month_after(charge.day) if charge.corrects else charge.day.replace(day=1)
            if billed_in <= ledger.now().date():
                rows.setdefault(f"{provider}-{billed_in:%Y-%m}.csv", []).append(_row(charge, share, billed_in))
    for path in folder.iterdir():
        if path.name not in rows and path.name != _MARK:
            path.unlink()  # of a story that began earlier
    return [_file(folder / name, found) for name, found in rows.items()]


def _file(path: Path, rows: list[dict[str, str]]) -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    if not path.exists() or path.read_bytes() != content:
        half = path.with_suffix(".csv.new")  # who reads meanwhile reads the old one
        half.write_bytes(content)
        half.replace(path)
    return path


def _row(charge: Charge, share: float, billed_in: date) -> dict[str, str]:
    committed = charge.commitment or (charge.category == "Purchase" and "commitment")
    costs = {"BilledCost": charge.billed, "EffectiveCost": charge.effective if charge.category != "Purchase" else 0.0,
             "ContractedCost": charge.contracted, "ListCost": charge.listed}  # fmt: skip
    pricing = "Committed" if charge.commitment == "Used" else "Standard"
    return {
        **{name: f"{cost * share:.8f}" for name, cost in costs.items()},
        "BillingAccountId": charge.account, "BillingAccountName": charge.account_name, "BillingCurrency": charge.currency,
        "BillingPeriodStart": f"{billed_in}T00:00:00Z", "BillingPeriodEnd": f"{_month_after(billed_in)}T00:00:00Z",
        "ChargeCategory": charge.category, "ChargeClass": "Correction" if charge.corrects else "",
        "ChargeDescription": f"{charge.service} in {charge.account_name}",
        "ChargeFrequency": "Recurring" if charge.category == "Purchase" else "Usage-Based",
        "ChargePeriodStart": f"{charge.day}T00:00:00Z", "ChargePeriodEnd": f"{charge.day + _DAY}T00:00:00Z",
        "CommitmentDiscountCategory": "Spend" if committed else "",
        "CommitmentDiscountId": _PLANS[charge.provider] if committed else "",
        "CommitmentDiscountStatus": charge.commitment, "PricingCategory": pricing if charge.category == "Usage" else "",
        "InvoiceIssuerName": charge.provider, "ProviderName": charge.provider, "PublisherName": charge.provider,
        "RegionId": "eu-central-1" if charge.provider == "AWS" else "westeurope", "RegionName": "Europe",
        "ServiceCategory": "Compute" if committed or "Compute" in charge.service else "Other",
        "ServiceName": charge.service, "SubAccountId": charge.account, "SubAccountName": charge.account_name,
        "Tags": json.dumps(dict(charge.tags)) if charge.tags else "",
    }  # fmt: skip


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
