"""Work on the past by the API."""

import pytest


@pytest.mark.parametrize(
    ("path", "body"),
    [("/backfill", {"subject": "itsm"}), ("/rescore", {"kpis": ["it/mttr"]})],
)
async def test_a_day_that_is_still_to_come_is_refused(client, path, body):
    answer = await client.post(f"/api/v1{path}", json={**body, "start": "2026-06-15"})
    assert answer.status == 409
    assert "2026-06-15 is still to come" in await answer.text()
    assert client.board.operations.calls == []
    assert (await client.post(f"/api/v1{path}", json={**body, "start": "2026-06-14"})).status < 300
