"""What trying a trade and trying a position have in common: record after record, until one is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from attrs import define

from fsm_arb.audit.findings import Finding, Part
from fsm_arb.errors import FsmArbError

if TYPE_CHECKING:
    from fsm_arb.ports import Record

CLOCK_BACK = "records whose wall clock is before that of the record before in their stream"
# What a damaged or forged payload can make the fold raise.
CANNOT_BE = (FsmArbError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError)


@define
class Trial:
    """One stream as far as its records have been tried. What is wrong ends it."""

    part: Part
    last: Record | None = None
    dead: bool = False

    @classmethod
    def begin(cls, record: Record, part: Part) -> Self:
        """Take up a stream with its first record."""
        trial = cls(part)
        trial.take(record)
        return trial

    def take(self, record: Record) -> None:
        """Try the next record."""
        if self.dead:
            return
        try:
            wrong = self._tried(record)
        except CANNOT_BE as error:
            wrong = f"cannot follow from the records before it: {str(error) or type(error).__name__}"
        if wrong:
            self.dead = True
            self.part.wrong(Finding.of(record, wrong))
        self.last = record

    def close(self) -> None:
        """Take in that no record follows."""
        raise NotImplementedError

    def _tried(self, record: Record) -> str:
        """Take in the next record and return what is wrong with it; empty: nothing."""
        raise NotImplementedError
