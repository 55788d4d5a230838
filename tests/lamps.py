"""A toy machine with everything that is hard to draw."""

from __future__ import annotations

import enum

from fsm_arb.machines.order import ORDER_TABLE
from fsm_arb.machines.position import POSITION_TABLE
from fsm_arb.machines.table import Row, Table, guard
from fsm_arb.machines.trade import TRADE_TABLE

TABLES = (TRADE_TABLE, POSITION_TABLE, ORDER_TABLE)


class Lamp(enum.StrEnum):
    """States of a toy machine."""

    OFF = "OFF"
    ON = "ON"
    BROKEN = "BROKEN"


fine = guard("fine", "bulb", "fine", doc="The bulb | shines.")
burnt = guard("burnt", "bulb", "burnt", doc="The bulb\nis <burnt>.")
LAMP = Table(
    name="lamp",
    states=Lamp,
    initial=Lamp.OFF,
    final=frozenset({Lamp.OFF}),
    rows=(
        Row(Lamp.OFF, "pressed", Lamp.ON, (fine,), "Light | at last."),
        Row(Lamp.OFF, "pressed", Lamp.BROKEN, (burnt,), "Dark & cold.", "dark"),
        Row(Lamp.ON, "pressed", Lamp.OFF),
        Row(Lamp.BROKEN, "waited", Lamp.BROKEN, (burnt,)),
        Row(Lamp.BROKEN, "replaced", Lamp.OFF, (fine,), outcome="new"),
    ),
)
