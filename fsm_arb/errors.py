"""Every exception that fsm_arb raises.

A tree, so that a bot can catch as widely as it dares::

    FsmArbError
    ├── InvalidInput (also ValueError)   what you handed in; names field and value
    │   ├── CurrencyMismatch             two currencies were added or compared
    │   ├── UnknownVenue                 a leg names a venue the executor was not given
    │   ├── UnknownSymbol                a leg names a market the venue does not list
    │   └── AmbiguousSymbol              several markets could be meant; the message names them
    ├── DecisionConflict                 the same decision_id came with different content
    ├── PositionNotOpen                  an exit names a position that is not open
    ├── UnknownTrade                     no such trade on this journal
    ├── ExecutorClosed                   entries have stopped
    ├── FellBehind                       a subscriber had not read everything when its executor was left
    ├── FxUnavailable                    no rate between two currencies
    ├── MachineError                     our bug, or a hand that drives the machine wrongly
    │   ├── TableInvalid                 the table of rows contradicts itself
    │   ├── IllegalTrigger               no row leaves this state on this trigger
    │   └── GuardRefused                 rows exist, none of their guards is true
    ├── LedgerBroken                     our bug: the books cannot be what they are
    ├── VenueError
    │   ├── VenueMisconfigured           an option of the exchange object must change
    │   └── VenueUnanswered              a read got no usable answer; it says nothing
    └── JournalError
        ├── JournalLocked                another process drives this journal
        ├── JournalForeign               the file is not one of our journals
        ├── JournalCorrupt               a record was torn, altered, dropped or moved
        ├── JournalFenced                a later epoch has taken over
        ├── JournalConflict              the stream has moved on since it was read
        ├── JournalFull                  the disk is full
        └── JournalFailed                any other failure to make a record durable

Messages say who, what, how long and what we hold. No message carries a secret.
"""

from __future__ import annotations


class FsmArbError(Exception):
    """Base of everything raised here on purpose."""


class InvalidInput(FsmArbError, ValueError):
    """A value handed in is refused before anything happened.

    Attributes:
        field: Dotted name of the field, as the caller wrote it.
        value: The value that was refused.
    """

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(f"{field}={value!r}: {reason}")
        self.field = field
        self.value = value
        self.reason = reason


class CurrencyMismatch(InvalidInput):
    """Amounts of two currencies met in one sum."""


class UnknownVenue(InvalidInput):
    """A leg names a venue that the executor was not given."""


class UnknownSymbol(InvalidInput):
    """A leg names a market that its venue does not list."""


class AmbiguousSymbol(InvalidInput):
    """Several markets of a venue could be the counterpart of one; which is meant has to be said."""


class DecisionConflict(FsmArbError):
    """A decision_id was used before, for a decision that differs."""


class PositionNotOpen(FsmArbError):
    """An exit names a position that is unknown, closing or closed."""


class UnknownTrade(FsmArbError, KeyError):
    """No trade of this id stands on the journal."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ExecutorClosed(FsmArbError):
    """The executor takes no new entries."""


class FellBehind(FsmArbError):
    """Whoever followed an executor had not read everything when it was left.

    Attributes:
        seq: Global sequence of the last record that was taken; the journal goes on behind it.
    """

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"read up to record {seq}, {why}; read the journal on from there")
        self.seq = seq


class FxUnavailable(FsmArbError):
    """No source gives a rate between two currencies."""


class MachineError(FsmArbError):
    """The state machine was built or driven wrongly."""


class TableInvalid(MachineError):
    """The rows of a table contradict each other or their declarations."""


class IllegalTrigger(MachineError):
    """No row leaves this state on this trigger."""


class GuardRefused(MachineError):
    """Rows leave this state on this trigger, but no guard of theirs is true."""


class LedgerBroken(FsmArbError):
    """The ledger holds what cannot be: a bug of ours, never the world's doing."""


class VenueError(FsmArbError):
    """A venue cannot be used as asked."""


class VenueMisconfigured(VenueError):
    """An option of the exchange object makes it unsafe; the message says which one."""


class VenueUnanswered(VenueError):
    """A read got no usable answer. It says nothing about any order."""


class JournalError(FsmArbError):
    """The journal refused or failed."""


class JournalLocked(JournalError):
    """Another process drives this journal."""


class JournalForeign(JournalError):
    """The file exists and is not a journal of ours, or of a version we cannot read."""


class JournalCorrupt(JournalError):
    """A record was torn, altered, dropped, duplicated or moved.

    Attributes:
        seq: Global sequence of the first record that is wrong; 0 where the damage is of no single record.
        stream: The stream that the record belongs to, as far as what is left can tell; empty: it cannot.
    """

    def __init__(self, seq: int, reason: str, stream: str = "") -> None:
        super().__init__(f"journal record {seq}: {reason}" + (f" (stream {stream})" if stream else ""))
        self.seq = seq
        self.reason = reason
        self.stream = stream


class JournalFenced(JournalError):
    """A later epoch has taken this journal over; this process must send nothing more."""


class JournalConflict(JournalError):
    """The stream holds more records than the writer knew of."""


class JournalFull(JournalError):
    """There is no room for another record."""


class JournalFailed(JournalError):
    """The journal could not make a record durable."""
