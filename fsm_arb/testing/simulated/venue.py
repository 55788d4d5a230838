"""One simulated venue: calls travel to its books and back, and meet faults on the way."""

from __future__ import annotations

import asyncio
import contextlib
import decimal
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define

from fsm_arb.matching.accounts import MarginAccount, SpotAccount
from fsm_arb.matching.orders import Status
from fsm_arb.testing.glimpse import VenueFill
from fsm_arb.testing.simulated.books import SteppedBooks
from fsm_arb.testing.simulated.conditions import Condition, Conditions
from fsm_arb.testing.simulated.engine import Engine
from fsm_arb.testing.simulated.errors import ccxt_error
from fsm_arb.testing.simulated.kinds import OF_ONE_MARKET, ROW_OF, STICKY, FaultHit, FaultKind, Operation
from fsm_arb.testing.simulated.register import Register, add_execution, fill_of
from fsm_arb.testing.simulated.words import Words
from fsm_arb.values import EXACT, ZERO

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.matching.orders import Execution, Order
    from fsm_arb.ports import Clock
    from fsm_arb.testing.simulated.books import Walk
    from fsm_arb.testing.simulated.chances import FaultPlan
    from fsm_arb.testing.simulated.kinds import Fault
    from fsm_arb.testing.simulated.options import VenueOptions
    from fsm_arb.testing.simulated.register import Request
    from fsm_arb.testing.simulated.watching import Observer

T = TypeVar("T")

NS_PER_MS = 1_000_000
MS_PER_S = 1_000
BY_HAND = "hand "  # how the name begins of a fill that is a whole order of an operator


@define(eq=False)
class Call:
    """One call on its way."""

    operation: Operation
    symbol: str | None
    client_id: str | None
    fault: Fault | None
    sent_ms: int  # the venue's time when it left
    stamp_ms: int  # what the caller's wall clock said then
    arrives_ms: int
    back_ms: float  # how long the reply travels
    era: int  # how often the venue had been healed when it left

    def meets(self, *kinds: FaultKind) -> Fault | None:
        """Return its fault if it is one of *kinds*."""
        return self.fault if self.fault is not None and self.fault.kind in kinds else None


class SimulatedVenue:
    """One venue's books, its faults, and the way there and back.

    Args:
        options: What it is like.
        clock: Where time comes from. The venue's own runs with the monotonic one: when the caller's wall clock jumps,
            a venue's does not.
        plan: Which faults its calls meet.
        walk: How its books move.
        observers: Who is told.
    """

    def __init__(
        self, options: VenueOptions, clock: Clock, plan: FaultPlan, walk: Walk, observers: list[Observer]
    ) -> None:
        self.options = options
        self.name = options.name
        self.plan = plan
        self.observers = observers
        self.words = Words(options)
        self.register = Register(options.name)
        self.conditions = Conditions()
        self.ended_words: dict[str, str] = {}  # of orders that a fault ended: their status, by the venue's id
        self.by_hand: dict[str, Decimal] = {}  # what operators' own trades did to each asset
        self._clock = clock
        self._base_ms = clock.time_ns() // NS_PER_MS - clock.monotonic_ns() // NS_PER_MS
        markets = {market.symbol: market for market in options.markets}
        self.books = SteppedBooks(
            self.name,
            markets,
            walk,
            prices=options.price,
            started_ms=self.now_ms(),
            levels=options.levels,
            depth=options.depth,
        )
        account = MarginAccount(options.balances) if options.margin else SpotAccount(options.balances, options.fee_rule)
        self.engine = Engine(
            markets.values(),
            account,
            self.books,
            ids_for_ever=options.ids_used_for_ever,
            post_only_refused=options.post_only_refused,
            seed=plan.seed,
            on_execution=self._executed,
        )
        self._advancing = False
        self._era = 0  # how often it was healed
        self._second = (0, 0)  # of the rate limit: which second, and how many calls in it

    def now_ms(self) -> int:
        """Return the time it really is at the venue, UTC; its clock may show another."""
        return self._base_ms + self._clock.monotonic_ns() // NS_PER_MS

    def wall_ms(self) -> int:
        """Return the caller's wall clock, ms."""
        return self._clock.time_ns() // NS_PER_MS

    def monotonic_ns(self) -> int:
        """Return the monotonic clock's reading."""
        return self._clock.monotonic_ns()

    def advance(self, now_ms: int | None = None) -> None:
        """Let everything happen that is due."""
        if self._advancing:
            return  # an observer looks while something happens
        self._advancing = True
        try:
            with decimal.localcontext(EXACT):
                self.engine.advance(self.now_ms() if now_ms is None else now_ms)
        finally:
            self._advancing = False

    def at(self, at_ms: int, event: Callable[[int], None]) -> None:
        """Let *event* happen at *at_ms*, whether or not anybody looks then: as a timer where a loop runs.

        Where none runs, or that loop has gone, it happens when somebody looks next.
        """
        self.engine.schedule(at_ms, event)
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            # A timer may ring a little early.
            loop.call_later((at_ms - self.now_ms()) / MS_PER_S, lambda: self.advance(max(at_ms, self.now_ms())))

    def _executed(self, execution: Execution) -> None:
        request = self.register.of_order(execution.order_id)
        name = request.name if request is not None else execution.client_id
        base, _, quote = execution.symbol.partition(":")[0].partition("/")
        if execution.fee and execution.fee_asset != quote:
            kind = FaultKind.FEE_IN_BASE if execution.fee_asset == base else FaultKind.FEE_ELSEWHERE
            bends = self.engine.bends_of(execution.order_id)
            if bends is not None and bends.fault is not None and bends.fault.kind is kind:
                self.hit(bends.fault, execution.symbol, name)
            else:
                self.hit_by_nature(kind, execution.symbol, name)
        fill = fill_of(execution)
        for observer in self.observers:
            observer.on_execution(self.name, name, fill)

    # -------------------------------------------------------------- faults

    def hit(self, fault: Fault | Condition, symbol: str | None, client_id: str | None) -> None:
        """Tell that *fault* bent something."""
        self._tell(fault.kind, fault.key, symbol, client_id)

    def hit_by_nature(self, kind: FaultKind, symbol: str | None, client_id: str | None) -> None:
        """Tell that what *kind* stands for happened without having been drawn: a venue is like that."""
        self._tell(kind, f"{self.name}/nature/{kind.value}", symbol, client_id)

    def _tell(self, kind: FaultKind, key: str, symbol: str | None, client_id: str | None) -> None:
        if not self.observers:
            return
        at_ms = self.engine.happening_ms  # what is due happens when it was due, however late somebody looks
        hit = FaultHit(
            number=ROW_OF[kind].number,
            kind=kind,
            key=key,
            venue=self.name,
            symbol=symbol,
            client_id=client_id,
            at=self._clock.monotonic_ns() if at_ms is None else (at_ms - self._base_ms) * NS_PER_MS,
        )
        for observer in self.observers:
            observer.on_fault(hit)

    def heal(self) -> None:
        """End what holds on, show what is hidden in usual words, set the clock right. What is still to come comes."""
        self._era += 1  # what was drawn before and would hold on begins no more
        self.conditions.heal()
        self.engine.show_all()
        self.ended_words.clear()

    # -------------------------------------------------------------- calls

    def begin(self, operation: Operation, symbol: str | None, client_id: str | None = None) -> Call:
        """Let a call leave, with the fault it will meet."""
        drawn = self.plan.draw(self.name, operation, symbol)
        low, high = self.options.latency_ms
        way_ms = (low + (high - low) * drawn.jitter) / 2
        now_ms = self.now_ms()
        return Call(
            operation=operation,
            symbol=symbol,
            client_id=client_id,
            fault=drawn.fault,
            sent_ms=now_ms,
            stamp_ms=self._clock.time_ns() // NS_PER_MS,
            arrives_ms=now_ms + max(0, round(way_ms)),
            back_ms=way_ms,
            era=self._era,
        )

    def offset_ms(self) -> int:
        """Return the venue's clock minus the time it really is."""
        held = self.conditions.of(FaultKind.SKEW, self.now_ms())
        self.words.offset_ms = held.size if held is not None else 0
        return self.words.offset_ms

    def objection(self, call: Call, now_ms: int) -> Exception | None:
        """Return what turns a call away at the door; faults that hold on begin here."""
        fault = call.fault
        if fault is not None and fault.kind in STICKY and call.era == self._era:
            self.conditions.begin(fault, now_ms, call.symbol if fault.kind in OF_ONE_MARKET else None)
        shut = self.conditions.against(call.operation, now_ms)
        if shut is not None:
            condition, name, words = shut
            self.hit(condition, call.symbol, call.client_id)
            return ccxt_error(name, words)
        if fault is not None:
            said = _REFUSALS.get(fault.kind)
            if said is not None:
                self.hit(fault, call.symbol, call.client_id)
                return ccxt_error(*said)
        return self._too_many(call, now_ms) or self._too_far_off(call, now_ms)

    def _too_many(self, call: Call, now_ms: int) -> Exception | None:
        most = self.options.calls_per_s
        if most is None:
            return None
        second, count = self._second
        count = count + 1 if second == now_ms // MS_PER_S else 1
        self._second = now_ms // MS_PER_S, count
        if count <= most:
            return None
        self.hit_by_nature(FaultKind.RATE_LIMITED, call.symbol, call.client_id)
        return ccxt_error("RateLimitExceeded", f"more than {most} calls in a second")

    def _too_far_off(self, call: Call, now_ms: int) -> Exception | None:
        window_ms = self.options.request_window_ms
        public = call.operation in {Operation.BOOK, Operation.MARKETS, Operation.TIME, Operation.STATUS}
        if window_ms is None or public or abs(now_ms + self.offset_ms() - call.stamp_ms) <= window_ms:
            return None
        self.hit_by_nature(FaultKind.NONCE, call.symbol, call.client_id)
        return ccxt_error("InvalidNonce", "the request's stamp is outside of the window")

    async def travel(self, call: Call, extra_ms: int = 0) -> int:
        """Wait until a call is there; return the venue's time then, everything due having happened."""
        at_ms = call.arrives_ms + extra_ms
        await asyncio.sleep((at_ms - call.sent_ms) / MS_PER_S)
        # A timer may ring a little early.
        now_ms = max(at_ms, self.now_ms())
        self.advance(now_ms)
        return now_ms

    async def come_back(self, call: Call) -> None:
        """Wait until the reply is there."""
        late = call.meets(FaultKind.REPLY_LATE)
        if late is not None:
            self.hit(late, call.symbol, call.client_id)
        await asyncio.sleep((call.back_ms + (late.ms if late is not None else 0)) / MS_PER_S)

    async def lose(self, call: Call, fault: Fault) -> Exception:
        """Wait as long as a caller does for a reply that is lost; return what it is told."""
        self.hit(fault, call.symbol, call.client_id)
        if fault.either("dropped", "silent") == "dropped" and fault.kind is not FaultKind.ACCEPTED_LATE:
            await asyncio.sleep(2 * call.back_ms / MS_PER_S)
            return ccxt_error("NetworkError", "the connection was dropped")
        await asyncio.sleep(self.options.timeout_ms / MS_PER_S)
        return ccxt_error("RequestTimeout", f"no reply in {self.options.timeout_ms} ms")

    async def read(
        self,
        operation: Operation,
        compute: Callable[[Call, int], T],
        *,
        symbol: str | None = None,
        client_id: str | None = None,
        garbled: Any = None,
    ) -> T | Any:
        """Ask something and return the answer.

        Args:
            operation: What for.
            compute: Gives the answer at the venue, at its time.
            symbol: The market it is about.
            client_id: The order it is about.
            garbled: What comes instead, where the reply is mangled.
        """
        call = self.begin(operation, symbol, client_id)
        lost = call.meets(FaultKind.LOST_BEFORE)
        if lost is not None:
            raise await self.lose(call, lost)
        now_ms = await self.travel(call)
        error = self.objection(call, now_ms)
        answer: Any = None
        if error is None:
            self.offset_ms()
            try:
                with decimal.localcontext(EXACT):
                    answer = compute(call, now_ms)
            except Exception as said:  # noqa: BLE001 - what the venue says travels back like any answer
                error = said
        await self.come_back(call)
        if error is not None:
            raise error
        mangled = call.meets(FaultKind.GARBLED)
        if mangled is not None:
            self.hit(mangled, symbol, client_id)
            return garbled
        return answer

    # -------------------------------------------------------------- by hand

    def end_all(self, symbol: str, now_ms: int | None = None) -> None:
        """End every order that rests in a market."""
        now_ms = self.now_ms() if now_ms is None else now_ms
        for order in self.engine.open_orders(symbol):
            self.engine.end(order, Status.CANCELED, now_ms)

    def take_back(self, request: Request, now_ms: int) -> Execution | None:
        """Bust the last execution of an order; return it, None where there is none."""
        execution = None if request.order is None else self.engine.take_back(request.order, now_ms)
        if execution is not None:
            request.busted += execution.amount
        return execution

    def done_by_hand(self, order: Order) -> VenueFill:
        """Book an operator's own order; return it as one fill."""
        for execution in order.fills:
            add_execution(self.by_hand, execution)
        fees = {fill.fee_asset for fill in order.fills}
        return VenueFill(
            fill_id=f"{BY_HAND}{order.order_id}",
            amount=order.filled,
            price=order.average,
            fee=sum((fill.fee for fill in order.fills), ZERO),
            fee_currency=", ".join(sorted(fees)),
        )

    def undone_by_hand(self, fill: VenueFill, now_ms: int) -> None:
        """Take back all of an operator's own order."""
        order = self.engine.orders[fill.fill_id.removeprefix(BY_HAND)]
        while (execution := self.engine.take_back(order, now_ms)) is not None:
            add_execution(self.by_hand, execution, -1)

    # -------------------------------------------------------------- the books that count

    def moved(self) -> dict[str, Decimal]:
        """Return by how much each asset has changed since the beginning.

        On a venue with margin nothing but the margin asset changes hands, so there it is what the executions amount
        to: base by the position, quote by what it cost.
        """
        account = self.engine.account
        with decimal.localcontext(EXACT):
            if isinstance(account, MarginAccount):
                moved: dict[str, Decimal] = {}
                for execution in self.engine.executions:
                    add_execution(moved, execution)
                return moved
            initial = self.options.balances
            held = {asset: balance.free + balance.used for asset, balance in account.balances().items()}
            return {
                asset: held.get(asset, ZERO) - initial.get(asset, ZERO)
                for asset in sorted(held.keys() | initial.keys())
            }


_REFUSALS = {
    FaultKind.ERROR_BEFORE: ("ExchangeNotAvailable", "502 Bad Gateway"),
    FaultKind.RATE_LIMITED: ("RateLimitExceeded", "429 Too Many Requests"),
    FaultKind.NONCE: ("InvalidNonce", "the request's stamp is outside of the window"),
}
