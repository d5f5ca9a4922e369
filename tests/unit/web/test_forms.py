"""What people type into forms."""

import pytest

from bsc_monitor.web import forms
from bsc_monitor.web.operations import Rejected


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12.5", 12.5), ("12,5", 12.5), ("1,234", 1234), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1.234.567", 1234567),
     ("0,125", 0.125), ("-0,125", -0.125), ("1.234", 1.234), ("−8", -8), ("1 234", 1234), ("1\u202f234,5", 1234.5), ("1e3", 1000)],
)  # fmt: skip
def test_a_number_is_read_as_people_of_several_languages_write_it(typed, value):
    assert forms.number(typed) == value


@pytest.mark.parametrize("typed", ["", "abc", "1,2,3", "1,23.4", "12,34,5", "nan", "inf", "1e16"])
def test_what_is_no_number_or_might_be_two_is_refused(typed):
    with pytest.raises(Rejected):
        forms.number(typed)
