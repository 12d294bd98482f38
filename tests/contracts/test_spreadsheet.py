"""Tables for spreadsheets: words stay words, numbers stay numbers."""

from peft_demo.contracts.spreadsheet import csv_text


def test_words_are_no_formulas_and_numbers_stay_as_they_are():
    rows = [("run", "loss"), ("=cmd()", -0.5), (None, 3)]
    assert csv_text(rows) == "run,loss\n'=cmd(),-0.5\n,3\n"
