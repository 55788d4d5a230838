"""What every running trade shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hall import PaperVenue

if TYPE_CHECKING:
    from hall import Hall


async def test_one_executor_has_one_of_each(hall: Hall) -> None:
    """Its trades share desks, funds, positions and the journal's scribe; another executor's are its own."""
    venues = {name: PaperVenue(name) for name in ("upbit", "binance")}
    async with hall.executor(venues=venues) as executor:
        for _ in range(2):
            await executor.execute_decision(hall.entry())
        services = [runner._services for runner in executor._runners.values()]
        assert len(services) == 2
        assert services[0] is services[1] is executor._services
        assert set(services[0].desks) == set(venues)
        assert services[0].desks["upbit"].venue is venues["upbit"]
        assert services[0].scribe.journal is executor._journal
    other = hall.executor(venues=venues)
    assert other._services.funds is not services[0].funds
    assert other._services.positions is not services[0].positions


async def test_client_order_ids_differ_between_openings_of_one_journal(hall: Hall) -> None:
    """The epoch is in each: a process that was taken over cannot meet its successor's orders."""
    seen: list[set[str]] = []
    for _ in range(3):
        async with hall.executor(venues={name: PaperVenue(name) for name in ("upbit", "binance")}) as executor:
            seen.append({executor._services.fresh_id()[:5] for _ in range(50)})
            assert len({executor._services.fresh_id() for _ in range(500)}) == 500
    assert [len(each) for each in seen] == [1, 1, 1]
    assert len(set.union(*seen)) == 3


async def test_stopping_entries_is_told_once(hall: Hall) -> None:
    """However many trades meet the same trouble."""
    from hall import Sink

    sink = Sink()
    async with hall.executor(alerts=sink) as executor:
        for _ in range(3):
            executor._services.stop_entries("the disk is full")
    assert [subject for subject, _, _ in sink.alerts] == ["entries stopped"]
