import pytest

from tests.helpers.rows import check_rows, each_row


def check_even(number, word="even"):
    assert number % 2 == 0, word


class TestCheckRows:
    def test_passes_if_all_rows_do(self):
        check_rows([2, (4, "four")], check_even)

    def test_reports_every_row_that_fails(self):
        with pytest.raises(ExceptionGroup, match="2 of 3 rows fail") as raised:
            check_rows({"one": (1, "a"), "two": 2, "three": (3, "b")}, check_even)
        assert [error.__notes__ for error in raised.value.exceptions] == [["row: 'one'"], ["row: 'three'"]]

    def test_refuses_an_empty_table(self):
        with pytest.raises(AssertionError, match="without rows"):
            check_rows([], check_even)


class TestEachRow:
    @pytest.fixture
    def seen(self):
        seen = []
        yield seen
        assert seen in ([("a", 1), ("a", 2), ("b", 1), ("b", 2)], [("a",), ("b", 1)])

    @each_row("number", [1, 2])
    @each_row("word", {"first": "a", "second": "b"})
    def test_checks_all_rows_of_all_tables_with_the_same_fixtures(self, seen, word, number):
        seen[:] = sorted([*seen, (word, number)])

    @each_row("row", [("a",), ("b", 1)])
    def test_passes_a_row_as_it_is_to_a_single_parameter(self, seen, row):
        seen.append(row)

    def test_reports_all_rows_that_fail(self):
        test = each_row(("number", "word"), {"one": (1, "a"), "two": (2, "b"), "three": (3, "c")})(check_even)
        with pytest.raises(ExceptionGroup, match="2 of 3 rows fail"):
            test()
