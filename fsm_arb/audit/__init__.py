"""Reading a journal: what it tells of each trade, whether it may be believed, and what else would have been."""
