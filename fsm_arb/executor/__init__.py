"""The asyncio driver: journal, then wire, then observe."""
