"""Adapters of the journal port."""

from __future__ import annotations

from fsm_arb.journal.memory import MemoryJournal
from fsm_arb.journal.reader import JournalReader
from fsm_arb.journal.sqlite import SqliteJournal

__all__ = ["JournalReader", "MemoryJournal", "SqliteJournal"]
