"""A journal as pages for a browser: one for each trade, and an index. Each is one file that loads nothing."""
