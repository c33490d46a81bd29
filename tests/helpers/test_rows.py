import pytest

from tests.helpers.rows import check_rows


def check_even(number, word="even"):
    assert number % 2 == 0, word


class TestCheckRows:
    def test_passes_if_all_rows_do(self):
        check_rows([2, (4, "four")], check_even)

    def test_tells_of_every_row_that_fails(self):
        with pytest.raises(ExceptionGroup, match="2 of 3 rows fail") as raised:
            check_rows({"one": (1, "a"), "two": 2, "three": (3, "b")}, check_even)
        assert [error.__notes__ for error in raised.value.exceptions] == [["row: 'one'"], ["row: 'three'"]]

    def test_refuses_an_empty_table(self):
        with pytest.raises(AssertionError, match="without rows"):
            check_rows([], check_even)
