"""Rates made of other rates: what is asked next, what several agree on, over a currency between, the last known.

Each of these is a provider over other providers and passes on what it is told
to those that observe. The age of a rate is that of its oldest input, and its
confidence that of the least trusted one.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from attrs import evolve

from fsm_arb.errors import FxUnavailable, InvalidInput
from fsm_arb.fx import NS_PER_S, Converting, FxProvider, FxRate, same_currency
from fsm_arb.fx_sources import FxObserver
from fsm_arb.values import EXACT, ZERO, Leg, OrderBook, divide, to_decimal

OUTLIER_SHARE = Decimal("0.05")  # of the median; sources further away are dropped
AGE_MAX_S = Decimal(60)


class _Combining(Converting, abc.ABC):
    """What is built over other sources, and passes on what it is told."""

    def __init__(self, sources: Iterable[FxProvider]) -> None:
        self._sources = tuple(sources)
        if not self._sources:
            raise InvalidInput("sources", (), "must hold one at least")

    def observe(self, leg: Leg, book: OrderBook, at_ns: int) -> None:
        """Tell every source below that observes."""
        for source in self._sources:
            if isinstance(source, FxObserver):
                source.observe(leg, book, at_ns)

    def rate(self, base: str, quote: str) -> FxRate:
        """Return the rate from *base* to *quote*.

        Raises:
            FxUnavailable: The sources have none.
        """
        return same_currency(base) if base == quote else self._combined(base, quote)

    @abc.abstractmethod
    def _combined(self, base: str, quote: str) -> FxRate:
        """Return the rate between two currencies that differ."""
        ...

    def _answers(self, base: str, quote: str) -> list[FxRate]:
        """Return what the sources answer, in their order.

        Raises:
            FxUnavailable: None does; says what each of them said.
        """
        answers, said = [], []
        for source in self._sources:
            try:
                answers.append(source.rate(base, quote))
            except FxUnavailable as error:
                said.append(str(error))
        if not answers:
            raise FxUnavailable("; ".join(dict.fromkeys(said)))
        return answers


class FallbackFx(_Combining):
    """The first source with a dated rate young enough; where there is none, the first that answers at all.

    A constant comes last: it has no date, so that a rate which was seen two minutes ago is preferred to it.

    Args:
        sources: Best first.
        time_ns: The wall clock, UTC ns; handed in.
        age_max_s: Seconds; an older rate gives way to a younger one further down.

    Raises:
        InvalidInput: There are no sources.
    """

    def __init__(
        self, sources: Sequence[FxProvider], time_ns: Callable[[], int], age_max_s: Decimal = AGE_MAX_S
    ) -> None:
        super().__init__(sources)
        self._time_ns, self._age_max_s = time_ns, age_max_s

    def _combined(self, base: str, quote: str) -> FxRate:
        answers, now_ns = self._answers(base, quote), self._time_ns()
        for answer in answers:
            age = answer.age_s(now_ns)
            if age is not None and age <= self._age_max_s:
                return answer
        return answers[0]


class MedianFx(_Combining):
    """What several sources agree on: outliers are dropped, the median of the rest is taken.

    The answer is as old as the oldest rate in it and trusted as little as the least trusted one, so a
    constant belongs into a `FallbackFx` around this, not among the sources. A source that has fallen
    behind the youngest by more than `age_max_s` is left out: one dead feed does not age the others.

    Args:
        sources: In any order.
        outlier_share: A rate further from the median of all than this fraction of it is dropped.
        age_max_s: Seconds.

    Raises:
        InvalidInput: There are no sources.
    """

    def __init__(
        self,
        sources: Iterable[FxProvider],
        outlier_share: Decimal = OUTLIER_SHARE,
        age_max_s: Decimal = AGE_MAX_S,
    ) -> None:
        super().__init__(sources)
        self._outlier_share, self._age_max_s = outlier_share, age_max_s

    def _combined(self, base: str, quote: str) -> FxRate:
        answers = self._abreast(self._answers(base, quote))
        middle = median([each.rate for each in answers])
        near = [each for each in answers if abs(each.rate - middle) <= self._outlier_share * middle]
        if not near:
            told = ", ".join(f"{each.rate:f} from {each.source}" for each in answers)
            raise FxUnavailable(f"the sources of {base}/{quote} disagree: {told}")
        return evolve(
            near[0],
            rate=median([each.rate for each in near]),
            source=f"median of {', '.join(each.source for each in near)}",
            confidence=min(each.confidence for each in near),
            at_ns=_oldest(near),
        )

    def _abreast(self, answers: list[FxRate]) -> list[FxRate]:
        youngest = max((each.at_ns for each in answers if each.at_ns is not None), default=None)
        if youngest is None:
            return answers
        behind = youngest - int(self._age_max_s * NS_PER_S)
        return [each for each in answers if each.at_ns is None or each.at_ns >= behind]


class OverFx(_Combining):
    """A source, and where it has no rate, two of its rates over a currency between: USDC to USDT to KRW.

    The product is as old as the older one and trusted as little as the less trusted one.

    Args:
        source: Has the rates.
        via: Currencies that may stand between, best first.
    """

    def __init__(self, source: FxProvider, via: Sequence[str] = ("USDT",)) -> None:
        super().__init__((source,))
        self._source, self._via = source, tuple(via)

    def _combined(self, base: str, quote: str) -> FxRate:
        try:
            return self._source.rate(base, quote)
        except FxUnavailable as error:
            for middle in self._via:
                found = None if middle in {base, quote} else self._over(base, middle, quote)
                if found is not None:
                    return found
            raise FxUnavailable(f"no rate from {base} to {quote}, nor over {', '.join(self._via)}: {error}") from error

    def _over(self, base: str, middle: str, quote: str) -> FxRate | None:
        try:
            first, second = self._source.rate(base, middle), self._source.rate(middle, quote)
        except FxUnavailable:
            return None
        return FxRate(
            base=base,
            quote=quote,
            rate=EXACT.multiply(first.rate, second.rate),
            source=f"{first.source}, then {second.source}",
            confidence=min(first.confidence, second.confidence),
            at_ns=_oldest([first, second]),
        )


class CachedFx(_Combining):
    """Remembers each pair's last rate, for when its source has none; beyond its age nobody should enter on it.

    A rate older than `age_max_s` still converts, for exits, and comes with confidence zero: every gate
    refuses an entry on it, whatever age that gate allows.

    Args:
        source: Has the rates. One that fails otherwise than by `FxUnavailable` fails here as well.
        time_ns: The wall clock, UTC ns; handed in.
        age_max_s: Seconds since the rate's oldest input was seen.

    Raises:
        InvalidInput: The age is negative or no number.
    """

    def __init__(
        self, source: FxProvider, time_ns: Callable[[], int], age_max_s: Decimal | int | str = AGE_MAX_S
    ) -> None:
        super().__init__((source,))
        self._time_ns = time_ns
        self._age_max_s = to_decimal(age_max_s, "age_max_s")
        if self._age_max_s < 0:
            raise InvalidInput("age_max_s", age_max_s, "must not be negative")
        self._known: dict[tuple[str, str], FxRate] = {}

    def _combined(self, base: str, quote: str) -> FxRate:
        try:
            rate = self._known[base, quote] = self._answers(base, quote)[0]
        except FxUnavailable:
            known = self._known.get((base, quote))
            if known is None:
                raise
            rate = known
        age = rate.age_s(self._time_ns())
        if age is None or age <= self._age_max_s:
            return rate
        return evolve(rate, confidence=ZERO, source=f"{rate.source}, stale")


def median(values: Iterable[Decimal]) -> Decimal:
    """Return the middle value (one at least), or the middle of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return divide(ordered[half - 1] + ordered[half], Decimal(2))


def _oldest(rates: Iterable[FxRate]) -> int | None:
    """Return when the oldest input was seen; None where nothing ages."""
    return min((each.at_ns for each in rates if each.at_ns is not None), default=None)
