"""Reading an audit-event log of incidents."""

import gzip

import pytest

from bsc_monitor.sandbox.servicenow.incident_log import load

HEAD = "number,incident_state,opened_at,sys_updated_at,priority,assignment_group,resolved_at,closed_at,made_sla\n"


def write(tmp_path, *rows):
    file = tmp_path / "log.csv"
    file.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return file


def test_the_last_row_of_an_incident_is_its_final_state(tmp_path):
    file = write(
        tmp_path,
        "INC1,New,29/2/2016 06:38,29/2/2016 06:42,3 - Moderate,?,2/3/2016 12:06,7/3/2016 13:00,true",
        "INC1,Awaiting User Info,29/2/2016 06:38,1/3/2016 09:00,2 - High,Group 1,2/3/2016 12:06,7/3/2016 13:00,false",
    )

    [row] = load(file)["incident"]().rows.values()

    assert (row["state"], row["priority"], row["made_sla"]) == ("3", "2", "false")
    assert (row["opened_at"], row["sys_updated_on"]) == ("2016-02-29 06:38:00", "2016-03-01 09:00:00")
    groups = load(file)["sys_user_group"]().rows
    assert groups[row["assignment_group"]]["name"] == "Group 1"


def test_what_is_unknown_is_empty_and_no_error(tmp_path):
    file = write(tmp_path, "INC1,-100,29/2/2016 06:38,29/2/2016 06:42,?,?,?,?,?")

    [row] = load(file)["incident"]().rows.values()

    assert [
        row[name] for name in ("state", "priority", "assignment_group", "resolved_at", "closed_at", "made_sla")
    ] == [""] * 6


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "column .* is missing"),
        (b"a,b\n1,2\n", "column .* is missing"),
        (gzip.compress(HEAD.encode())[:-9], "broken gzip"),
        (b"\xff\xfe\x00", "utf-8"),
        (HEAD.encode() + b"INC1,New,yesterday,29/2/2016 06:42,3,?,?,?,true\n", "INC1.*yesterday"),
    ],
    ids=["empty", "another table", "cut off", "no text", "no time"],
)
def test_a_file_that_is_no_such_log_is_refused_in_words(tmp_path, content, words):
    file = tmp_path / "log.csv"
    file.write_bytes(content)

    with pytest.raises(ValueError, match=words):
        load(file)
