"""Comments by the API."""


async def test_a_subject_that_is_none_is_refused_in_words(client):
    answer = await client.post("/api/v1/comments", json={"subject": "nope", "text": "x"})
    assert answer.status == 422
    told = (await answer.json())["detail"]
    assert told.startswith("subject: 'nope' is no subject: write its kind and name, as kpi:it/mttr")
    assert "[a-z" not in told
    schemas = (await (await client.get("/api/v1/openapi.json")).json())["components"]["schemas"]
    assert schemas["NewComment"]["properties"]["subject"]["pattern"].startswith("^(kpi|")
