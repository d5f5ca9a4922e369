"""What a Jira site has by its own account: statuses and fields, and the time zone in which it reads our dates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bsc_monitor.plugin import CollectorError, SourceError


@dataclass(frozen=True, slots=True)
class Site:
    """What is known of a Jira for a minute."""

    at: datetime
    cloud: bool
    api: str  #: where its REST API is: api/3 or api/2
    zone: ZoneInfo  # of the calling user
    statuses: dict[str, tuple[str, str]]  # id → name, category
    fields: list[dict[str, Any]]
    points_field: str  #: as configured; empty: the vendor's

    def custom(self, kind: str) -> list[str]:
        """Ids of the custom fields of a type, by the end of the type's key."""
        return [f["id"] for f in self.fields if str((f.get("schema") or {}).get("custom", "")).endswith(kind)]

    def named(self, name: str) -> str | None:
        """Id of a field, by its name or id."""
        wanted = name.lower()
        return next((f["id"] for f in self.fields if wanted in (f["id"].lower(), str(f.get("name", "")).lower())), None)

    def field(self, name: str) -> str:
        """Id of a field, by its name or id. Raises SourceError(CONFIG) where there is none."""
        found = self.named(name)
        if found is None:
            raise SourceError(
                f"Jira has no field {name!r} that this user may see",
                CollectorError.CONFIG,
                hint="fields are named as on the issue, or by id (customfield_10016)",
            )
        return found

    def points(self) -> str | None:
        """Id of the field that holds points. Raises SourceError(CONFIG) where the configured one does not exist."""
        if self.points_field:
            return self.field(self.points_field)
        return self.named("Story Points") or self.named("Story point estimate")

    def field_ids(self) -> dict[str, str]:
        """Ids of all fields, by id and by name in small letters: changelogs of Data Center name fields."""
        return {f["id"]: f["id"] for f in self.fields} | {str(f.get("name", "")).lower(): f["id"] for f in self.fields}
