"""A matching engine: orders meet books, accounts move, and everything that happened is kept.

Pure: the time is handed in. The paper venue, the simulated venues and the
exchange on loopback all match by it, so they fill alike.
"""
