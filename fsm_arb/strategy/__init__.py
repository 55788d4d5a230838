"""Enter, leave, or nothing, and why: the port `Strategy`, and one by thresholds that stands ready."""

from fsm_arb.strategy.judge import ThresholdStrategy
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Strategy, Verdict

__all__ = ["Reason", "ReasonCode", "Strategy", "StrategyThresholds", "ThresholdStrategy", "Verdict"]
