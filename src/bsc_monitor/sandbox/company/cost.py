"""What the generated company pays for its clouds, and the story in it (month 0 is 18 months ago, month 18 the current one).

- **drifting over budget**: AWS grows by 3 % a month from about 40,000 USD, the budget of 42,000 USD by 1.2 %: 3 % under
  budget at first, over it from month 4 on, 19 % over now (``budget_variance``);
- **a commitment that pays**: a savings plan from month 6 on covers 60 % of the compute (``commitment_coverage``), at 96 %
  utilisation;
- **an initiative that works**: right-sizing the clusters from month 10 on brings their idle share from 38 to 20 % (``idle_share``);
- **an initiative that does not**: a tagging campaign from month 13 on leaves 22 % without a team (``untagged_share``);
- **a quiet one**: Azure, in EUR, stays about 4 % under its budget of 12,500 EUR a month.
"""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from bsc_monitor.sandbox.cloud.ledger import Anomaly, Charge, Ledger, Workload
from bsc_monitor.sandbox.company.story import History
from bsc_monitor.sandbox.seed import chance

PAYER = "111122223333"  #: the AWS account of bills and budgets
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"  #: of Azure
BUDGET = "cloud"  #: the name of the budget on either side
SAVINGS_PLAN_STARTS, RIGHT_SIZING_STARTS = 6, 10  #: months
COVERED, PLAN_PRICE, UTILISATION = 0.6, 0.72, 0.96
_ACCOUNTS = {"111122223333": "shop", "222233334444": "platform", "333344445555": "lab"}
_AWS = 40_000 / 30.4  # USD a day
_AZURE = 12_700 / 30.4  # EUR a day
COMPUTE = "Amazon Elastic Compute Cloud - Compute"
# account, service, team (none: untagged), run or change, share of the bill
_AWS_WORKLOADS = (
    ("111122223333", COMPUTE, "shop", "run", 0.22), ("111122223333", COMPUTE, "payments", "run", 0.12),
    ("111122223333", COMPUTE, "", "", 0.06), ("222233334444", COMPUTE, "warehouse", "run", 0.06),
    ("333344445555", COMPUTE, "shop", "change", 0.07), ("333344445555", COMPUTE, "", "", 0.04),
    ("111122223333", "Amazon Relational Database Service", "payments", "run", 0.11),
    ("111122223333", "Amazon Relational Database Service", "shop", "run", 0.07),
    ("333344445555", "Amazon Relational Database Service", "payments", "change", 0.03),
    ("111122223333", "Amazon Simple Storage Service", "shop", "run", 0.04),
    ("222233334444", "Amazon Simple Storage Service", "", "", 0.05),
    ("222233334444", "Amazon Elastic Container Service for Kubernetes", "warehouse", "run", 0.05),
    ("333344445555", "Amazon Elastic Container Service for Kubernetes", "warehouse", "change", 0.01),
    ("111122223333", "Amazon CloudFront", "", "", 0.07),
)  # fmt: skip
_AZURE_WORKLOADS = (
    ("Virtual Machines", "intranet", "run", 0.4), ("SQL Database", "intranet", "run", 0.22), ("Storage", "", "", 0.13),
    ("Azure OpenAI", "lab", "change", 0.25),
)  # fmt: skip

_CLUSTERS = {  # namespace → team, USD a day that it uses
    "prod-eu": {"shop": ("shop", 48.0), "payments": ("payments", 31.0), "kube-system": ("", 9.0)},
    "test-eu": {"shop": ("shop", 14.0), "warehouse": ("warehouse", 17.0), "kube-system": ("", 4.0)},
}


def aws_growth(month: float) -> float:
    """How the AWS bill drifts."""
    return math.pow(1.03, month)


def aws_budget(month: int) -> float:
    """USD that are planned for a month."""
    return round(42_000 * 1.012**month, 2)


def idle_share(month: float) -> float:
    """Share of the clusters' cost that nobody uses: an initiative that works."""
    return 0.38 if month < RIGHT_SIZING_STARTS else 0.20 + 0.18 * math.exp(-(month - RIGHT_SIZING_STARTS) / 1.2)


@lru_cache(maxsize=2)
def _story(seed: int, began: datetime, since: date | None) -> Ledger:
    history = History(seed, began, since)
    charges: dict[date, list[Charge]] = {}
    workloads: dict[date, list[Workload]] = {}
    anomalies: list[Anomaly] = []
    for day, month, _ in history.days():
        rng = chance(seed, f"cloud:{day}")
        charges[day] = _aws_day(day, month, rng) + _azure_day(day, rng)
        workloads[day] = _cluster_day(month, chance(seed, f"clusters:{day}"))
        if rng.random() < 0.025:
            impact = round(rng.uniform(150, 900), 2)
            anomalies.append(Anomaly(f"anomaly-{day}", day, day + timedelta(days=2), COMPUTE, impact, impact * 3))
    months = [_month(history.start, number) for number in range(int(history.month(began.date())) + 3)]
    budgets = {
        PAYER: {month: aws_budget(number) for number, month in enumerate(months)},
        SUBSCRIPTION: dict.fromkeys(months, 12_500.0),
    }
    return Ledger(charges, lambda: began, tuple(anomalies), budgets, workloads)


def ledger(seed: int, now: Callable[[], datetime], since: date | None = None) -> Ledger:
    """The company's bills; the same seed gives the same days."""
    began = now()
    return replace(_story(seed, began.replace(hour=0, minute=0, second=0, microsecond=0), since), now=now)


def _month(start: date, number: int) -> date:
    count = start.year * 12 + start.month - 1 + number
    return date(count // 12, count % 12 + 1, 1)


def _aws_day(day: date, month: float, rng: random.Random) -> list[Charge]:
    """Usage, what a savings plan makes of it, tax, and now and then a credit or a refund of the month before."""
    found: list[Charge] = []
    used = 0.0
    for account, service, team, work, share in _AWS_WORKLOADS:
        cost = _AWS * share * aws_growth(month) * rng.gauss(1, 0.03)
        tags = {"team": team, "work": work} if team else {}
        covered = cost * COVERED if service == COMPUTE and month >= SAVINGS_PLAN_STARTS else 0.0
        used += covered * PLAN_PRICE
        found += _usage(day, account, service, cost - covered, tags)
        if covered:
            found += _covered(day, account, service, covered, tags)
    if used:
        fee = used / UTILISATION
        found.append(_charge(day, PAYER, "Savings Plans for AWS Compute usage", "SavingsPlanRecurringFee", "Purchase",
                             billed=fee, contracted=fee, listed=fee))  # fmt: skip
        found.append(_charge(day, PAYER, "Savings Plans for AWS Compute usage", "SavingsPlanUnused", "Usage",
                             effective=fee - used, commitment="Unused"))  # fmt: skip
    if day.day == 3:
        found.append(_flat(day, COMPUTE, "Credit", "Credit", -400.0))
    if day.day == 20:
        found.append(_flat(day, "Amazon Simple Storage Service", "Refund", "Credit", -60.0, corrects=True))
    net = sum(charge.billed for charge in found)
    found.append(_flat(day, "Tax", "Tax", "Tax", net * 0.19))
    return [_rounded(charge) for charge in found]


def _usage(day: date, account: str, service: str, cost: float, tags: dict[str, str]) -> list[Charge]:
    return [_charge(day, account, service, "Usage", "Usage", billed=cost, effective=cost, contracted=cost,
                    listed=cost / 0.95, tags=tags)]  # fmt: skip


def _covered(day: date, account: str, service: str, cost: float, tags: dict[str, str]) -> list[Charge]:
    """The vendor shows covered usage at its on-demand price and takes it off again; FOCUS knows the first line alone."""
    return [_charge(day, account, service, "SavingsPlanCoveredUsage", "Usage", effective=cost * PLAN_PRICE,
                    contracted=cost, listed=cost / 0.95, tags=tags, commitment="Used")]  # fmt: skip


def _flat(day: date, service: str, kind: str, category: str, amount: float, *, corrects: bool = False) -> Charge:
    return _charge(day, PAYER, service, kind, category, billed=amount, effective=amount, contracted=amount,
                   listed=amount, corrects=corrects)  # fmt: skip


def _charge(
    day: date, account: str, service: str, kind: str, category: str, *, billed: float = 0.0, effective: float = 0.0,
    contracted: float = 0.0, listed: float = 0.0, tags: dict[str, str] | None = None, commitment: str = "",
    corrects: bool = False,
) -> Charge:  # fmt: skip
    return Charge(day, "AWS", account, _ACCOUNTS[account], service, kind, "USD", billed, effective, contracted, listed,
                  tags or {}, category, commitment, corrects)  # fmt: skip


def _azure_day(day: date, rng: random.Random) -> list[Charge]:
    """Usage; half of the virtual machines run on a reservation that is paid for by the day and used to 90 %."""
    found = []
    for service, team, work, share in _AZURE_WORKLOADS:
        cost = _AZURE * share * rng.gauss(1, 0.04)
        tags = {"team": team, "work": work} if team else {}
        reserved = cost / 2 if service == "Virtual Machines" else 0.0
        usage = cost - reserved
        found.append(_azure(day, service, "Usage", (usage, usage, usage), tags))
        if reserved:
            used = reserved * 0.65
            fee = used / 0.9
            found.append(_azure(day, service, "Usage", (0.0, used, reserved), tags, "Used"))
            found.append(_azure(day, service, "Purchase", (fee, 0.0, fee)))
            found.append(_azure(day, service, "Usage", (0.0, fee - used, 0.0), commitment="Unused"))
    return found


def _azure(
    day: date, service: str, category: str, costs: tuple[float, float, float], tags: dict[str, str] | None = None,
    commitment: str = "",
) -> Charge:  # fmt: skip
    billed, effective, contracted = (round(cost, 8) for cost in costs)
    listed = round(contracted / 0.92, 8) if category == "Usage" else contracted
    return Charge(day, "Microsoft", SUBSCRIPTION, "it-europe", service, category, "EUR", billed, effective, contracted,
                  listed, tags or {}, category, commitment)  # fmt: skip


def _cluster_day(month: float, rng: random.Random) -> list[Workload]:
    """Two clusters; what their namespaces do not use is idle."""
    found = []
    for cluster, namespaces in _CLUSTERS.items():
        used = {name: cost * rng.gauss(1, 0.05) for name, (_, cost) in namespaces.items()}
        found += [
            Workload(cluster, name, round(cost, 5), {"team": team} if (team := namespaces[name][0]) else {})
            for name, cost in used.items()
        ]
        share = idle_share(month) * rng.gauss(1, 0.04)
        found.append(Workload(cluster, "__idle__", round(sum(used.values()) * share / (1 - share), 5)))
    return found


def _rounded(charge: Charge) -> Charge:
    return Charge(
        charge.day, charge.provider, charge.account, charge.account_name, charge.service, charge.kind, charge.currency,
        round(charge.billed, 8), round(charge.effective, 8), round(charge.contracted, 8), round(charge.listed, 8),
        charge.tags, charge.category, charge.commitment, charge.corrects,
    )  # fmt: skip
