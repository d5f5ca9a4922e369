"""What every forge's collector offers: DORA, review and build measures over its streams ``deliveries``, ``pulls``, ``builds``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from bsc_monitor.kit import dora
from bsc_monitor.kit.delivery import (
    HOTFIX,
    Build,
    Builds,
    BuildTime,
    Deliveries,
    Delivery,
    Failures,
    LeadTime,
    Pull,
    Recovery,
    Repositories,
    Review,
)
from bsc_monitor.kit.statistics import summarise
from bsc_monitor.plugin import (
    Calendar,
    Collector,
    CollectorError,
    Reading,
    ReadingState,
    SourceError,
    Window,
    measure,
)

Page = Literal["deployments", "pulls", "builds"]


@contextmanager
def answers_of(vendor: str) -> Iterator[None]:
    """Around the reading of a vendor's answers: a missing or misshapen field is the answer's fault, SourceError(SCHEMA)."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"not an answer of {vendor}: {error!r}"[:200], CollectorError.SCHEMA) from error


class Forge(Collector):
    """Base of a forge's collector: its streams deliver ``Delivery``, ``Pull`` and ``Build`` records.

    What rollout, hotfix, rollback, failed and restored mean, and how incidents are tied to deployments: see ``kit.dora``.
    """

    def page(self, repository: str, what: Page) -> str:
        """The address of the page that people look at: the evidence."""
        raise NotImplementedError

    @measure(over="deliveries", unit="count", title="Deployment frequency")
    def deployment_frequency(
        self,
        records: Iterable[Delivery],
        p: Deliveries,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Rollouts a day: commits that went live in ``environment`` for the first time / days of the period so far.

        Failed deployments, rollbacks and redeployments of a commit do not count.
        """
        return self._with_page(dora.frequency(records, period, HOTFIX), p, "deployments")

    @measure(over="deliveries", unit="h", better="lower", title="Change lead time")
    def change_lead_time(
        self,
        records: Iterable[Delivery],
        p: LeadTime,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Hours from the authoring of a commit to its first rollout, over the commits rolled out in the period.

        Merge commits are left out. Not deployed is unknown, not zero: such commits do not count. The first deployment of
        all has no predecessor, so that its changes are not known. A squash merge carries the merge's time as author date:
        with ``first_commit_of_pull`` the clock starts with the first commit of its pull request.
        """
        return self._with_page(dora.lead_time(records, period, HOTFIX, p.statistic), p, "deployments")

    @measure(over="deliveries", unit="ratio", better="lower", title="Change fail rate", settle="2d")
    def change_fail_rate(
        self,
        records: Iterable[Delivery],
        p: Failures,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Rollouts of the period that failed / rollouts of the period; failures may become known later."""
        return self._with_page(dora.fail_rate(records, period, p), p, "deployments")

    @measure(over="deliveries", unit="h", better="lower", title="Failed deployment recovery time")
    def failed_deployment_recovery_time(
        self,
        records: Iterable[Delivery],
        p: Recovery,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Hours from a rollout's failure to its restoration, over those restored in the period."""
        return self._with_page(dora.recovery_time(records, period, p, p.statistic), p, "deployments")

    @measure(over="deliveries", unit="ratio", better="lower", title="Deployment rework rate")
    def deployment_rework_rate(
        self,
        records: Iterable[Delivery],
        p: Failures,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Hotfixes and rollbacks / rollouts and rollbacks of the period."""
        return self._with_page(dora.rework_rate(records, period, p.hotfix), p, "deployments")

    @measure(over="pulls", unit="h", better="lower", title="Review time")
    def review_time(
        self,
        records: Iterable[Pull],
        p: Review,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Hours from opening a pull request to its first review by somebody else, or to its merge, that lies in the period.

        Pull requests that were never reviewed (or merged) do not count; the note says how many were merged unreviewed.
        """
        pulls = [pull for pull in records if not p.target or pull.target == p.target]
        ends = [(pull, pull.reviewed if p.until == "first_review" else pull.merged) for pull in pulls]
        hours = [
            max(0.0, (end - pull.opened) / timedelta(hours=1))
            for pull, end in ends
            if end is not None and (period.start or end) <= end < period.end
        ]
        bare = sum(
            1
            for pull in pulls
            if pull.reviewed is None and pull.merged and (period.start or pull.merged) <= pull.merged < period.end
        )
        note = f"{bare} were merged without a review" if bare else None
        reading = Reading(None, samples=0, state=ReadingState.NO_DATA, note=note)
        if hours:
            reading = Reading(summarise(hours, p.statistic), samples=len(hours), note=note)
        return self._with_page(reading, p, "pulls")

    @measure(over="builds", unit="ratio", title="Build success rate")
    def build_success_rate(
        self,
        records: Iterable[Build],
        p: Builds,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Builds that ended in the period with success / with success or failure; cancelled and skipped ones do not count."""
        outcomes = [build.outcome for build in _builds(records, p, period)]
        good, bad = outcomes.count("success"), outcomes.count("failure")
        reading = Reading(None, samples=0, state=ReadingState.NO_DATA)
        if good + bad:
            reading = Reading(
                good / (good + bad), numerator=float(good), denominator=float(good + bad), samples=good + bad
            )
        return self._with_page(reading, p, "builds")

    @measure(over="builds", unit="min", better="lower", title="Build time")
    def build_time(
        self,
        records: Iterable[Build],
        p: BuildTime,
        period: Window,
        calendar: Calendar,  # noqa: ARG002
    ) -> Reading:
        """Minutes from a build's start to its end, waiting for a runner included, over successful ones that ended in the period."""
        minutes = [
            (build.ended - build.began) / timedelta(minutes=1)
            for build in _builds(records, p, period)
            if build.outcome == "success"
        ]
        reading = Reading(None, samples=0, state=ReadingState.NO_DATA)
        if minutes:
            reading = Reading(summarise(minutes, p.statistic), samples=len(minutes))
        return self._with_page(reading, p, "builds")

    def _with_page(self, reading: Reading, p: Repositories, what: Page) -> Reading:
        return replace(reading, evidence=self.page(p.repositories[0], what))


def _builds(records: Iterable[Build], p: Builds, period: Window) -> list[Build]:
    return [
        build
        for build in records
        if (not p.workflow or build.workflow == p.workflow)
        and (not p.branch or build.branch == p.branch)
        and (period.start or build.ended) <= build.ended < period.end
    ]
