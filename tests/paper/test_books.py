"""The books that a paper venue was fed."""

from __future__ import annotations

from decimal import Decimal

from papers import book

from fsm_arb.paper.books import FedBooks

D = Decimal
LOT = D("0.001")


def test_nothing_was_fed_yet() -> None:
    """No book has a number of its own, and no levels."""
    books = FedBooks()
    assert (books.latest("X"), books.version("X", 0), books.levels("X", 0)) == (None, 0, ([], []))
    assert list(books.missed("X", 0, 0)) == []


def test_levels_stand_best_first_in_whole_lots() -> None:
    """However they were handed over; what no order could take is left out."""
    books = FedBooks()
    assert books.put("X", book(((98, "0.0019"), (99, 2)), ((102, 1), (101, "0.0009"))), LOT, 5)
    assert books.levels("X", 1) == ([(D(99), D(2)), (D(98), D("0.001"))], [(D(102), D(1))])


def test_a_book_that_has_not_moved_is_the_same_book() -> None:
    """So that what was taken of it stays taken; only when it was seen is newer."""
    books = FedBooks()
    books.put("X", book(), LOT, 1)
    books.put("X", book(), LOT, 2)
    fed = books.latest("X")
    assert fed is not None
    assert (fed.version, fed.at_ns) == (1, 2)
    books.put("X", book(bids=((100, 2),)), LOT, 3)
    assert books.version("X", 0) == 2
    assert list(books.missed("X", 1, 0)) == [2]
    assert list(books.missed("X", 2, 0)) == []


def test_a_crossed_book_is_left_out() -> None:
    """The one before it stays; a book with one side is fine."""
    books = FedBooks()
    books.put("X", book(), LOT, 1)
    assert not books.put("X", book(((101, 1),), ((101, 1),)), LOT, 2)
    assert books.levels("X", 1)[0] == [(D(100), D(1)), (D(99), D(2))]
    assert books.put("X", book(((101, 1),), ()), LOT, 3)
    assert books.levels("X", 2) == ([(D(101), D(1))], [])
