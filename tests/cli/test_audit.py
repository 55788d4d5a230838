"""The command `fsm-arb audit`, from its words to its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from exports import exported, write_csv
from forging import forged, round_trip, seq_of

from fsm_arb.cli import audit as command
from fsm_arb.testing.crash.damage import Edited, copied

Run = Callable[..., Result]


def test_a_sound_journal_is_told_and_passes(run: Run, ended: Path) -> None:
    """Status 0, and what stands in it."""
    done = run("audit", ended / "trades.db")
    assert done.exit_code == 0, done.output
    assert "Trades: 8 (" in done.output
    assert "Head: record " in done.output
    assert done.output.endswith("All is well.\n")


def test_a_wrong_record_is_named(run: Run, tmp_path: Path) -> None:
    """Status 1, and the first of them in the first line."""
    path = forged(tmp_path / "trades.db")
    Edited("UPDATE records SET at_ns = at_ns + 1 WHERE seq IN (5, 9)")(path)
    done = run("audit", path)
    assert done.exit_code == 1
    assert done.output.startswith("Wrong: record 5 (stream trade/d1, its record 5, ")
    assert "it was altered" in done.output.splitlines()[0]
    assert done.output.endswith("Not all is well.\n")


def test_what_is_no_journal_could_not_be_audited(run: Run, tmp_path: Path) -> None:
    """Status 2, for a file that is none, and for one that is not there."""
    (tmp_path / "notes.txt").write_text("notes")
    for name in ("notes.txt", "nothing.db"):
        done = run("audit", tmp_path / name)
        assert done.exit_code == 2
        assert name in done.output


def test_it_is_told_to_programs_too(run: Run, tmp_path: Path) -> None:
    """One JSON object, whatever came of it."""
    path = forged(tmp_path / "trades.db")
    told = json.loads(run("audit", path, "--json").stdout)
    assert (told["ok"], told["records"], told["findings"], told["exchange"]) == (True, len(round_trip()), [], None)
    assert told["head"] == {"seq": len(round_trip()), "hash": round_trip()[-1].hash}
    Edited("UPDATE records SET payload = '{}' WHERE seq = 3")(path)
    done = run("audit", path, "--json")
    assert done.exit_code == 1
    wrong = json.loads(done.stdout)["findings"][0]
    assert (wrong["record"], wrong["stream"], wrong["stream_record"]) == (3, "trade/d1", 3)
    assert "altered" in wrong["what"]


# ------------------------------------------------------------------ anchors


def test_heads_are_written_and_compared(run: Run, tmp_path: Path) -> None:
    """What is written once is compared ever after; --anchor alone writes nothing."""
    path, file = forged(tmp_path / "trades.db"), tmp_path / "anchors.jsonl"
    assert "the head was added to" in run("audit", path, "--write-anchor", file).output
    content = file.read_text()
    assert json.loads(content)["seq"] == len(round_trip())
    done = run("audit", path, "--anchor", file, "--write-anchor", file)
    assert (done.exit_code, file.read_text()) == (0, content)
    assert "Anchors: compared with 1." in done.output


def test_a_journal_that_is_shorter_than_its_anchor_fails(run: Run, tmp_path: Path) -> None:
    """Its chain is sound and its mark made anew; nothing is added to the file."""
    file = tmp_path / "anchors.jsonl"
    run("audit", forged(tmp_path / "whole.db"), "--write-anchor", file)
    content = file.read_text()
    cut = forged(tmp_path / "cut.db", records=round_trip()[:11], live=["trade/d1"])
    for option in ("--anchor", "--write-anchor"):
        done = run("audit", cut, option, file)
        assert done.exit_code == 1
        assert "record 12: is missing: the journal ends at record 11" in done.output
    assert file.read_text() == content


def test_a_file_that_holds_no_anchors_could_not_be_compared(run: Run, tmp_path: Path) -> None:
    """Status 2, with the line."""
    file = tmp_path / "anchors.jsonl"
    file.write_text("so\n")
    done = run("audit", forged(tmp_path / "trades.db"), "--anchor", file)
    assert done.exit_code == 2
    assert "anchors.jsonl, line 1='so': is no anchor" in done.output


# ------------------------------------------------------------------ what exchanges say


def test_an_exchanges_own_export_agrees(run: Run, ended: Path, tmp_path: Path) -> None:
    """Every execution of real ccxt trades, whatever faults there were."""
    file = write_csv(tmp_path / "fills.csv", exported(ended))
    done = run("audit", ended / "trades.db", "--fills", file)
    assert done.exit_code == 0, done.output
    assert f"compared with {len(exported(ended))} executions." in done.output


def test_what_is_missing_on_either_side_is_named(run: Run, ended: Path, tmp_path: Path) -> None:
    """An execution that the export lacks, and one that the journal lacks."""
    lines = exported(ended)
    mine = [line for line in lines if line["exchange"] == "binance"]
    lost = mine[len(mine) // 2]
    strange = lost | {"trade_id": "999", "order_id": "999", "client_order_id": ""}
    # It reaches from before the first order to after the last was seen over, so that none is out of its reach.
    first, last = int(lines[0]["time"]) - 60_000, int(lines[-1]["time"]) + 60_000
    ends = [strange | {"trade_id": name, "order_id": name, "time": str(at)} for name, at in (("1", first), ("2", last))]
    file = write_csv(tmp_path / "fills.csv", [*(strange if line is lost else line for line in lines), *ends])
    done = run("audit", ended / "trades.db", "--fills", file, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    sides = {each["missing"]: each["what"] for each in told["exchange"]["differences"]}
    assert sides.keys() == {"exchange", "journal"}
    assert lost["client_order_id"] in sides["exchange"]
    assert "order 999 filled" in sides["journal"]
    assert (told["ok"], told["findings"]) == (False, [])
    shown = run("audit", ended / "trades.db", "--fills", file).output
    assert "Exchange, missing from the exchange: binance" in shown
    assert "Exchange, missing from the journal: binance" in shown


def test_a_line_that_cannot_be_read_is_named(run: Run, ended: Path, tmp_path: Path) -> None:
    """Status 2: it says nothing about the journal."""
    lines = exported(ended)
    lines[1] = lines[1] | {"amount": "a lot"}
    done = run("audit", ended / "trades.db", "--fills", write_csv(tmp_path / "fills.csv", lines))
    assert done.exit_code == 2
    assert "fills.csv, line 3: amount='a lot': is not a number" in done.output


def test_a_journal_that_is_wrong_is_not_compared(run: Run, ended: Path, tmp_path: Path) -> None:
    """What it says was executed is worth nothing."""
    path = copied(ended / "trades.db", tmp_path / "trades.db")
    Edited("UPDATE records SET at_ns = 1 WHERE seq = 2")(path)
    done = run("audit", path, "--fills", write_csv(tmp_path / "fills.csv", []))
    assert done.exit_code == 1
    assert "Exchange" not in done.output


def test_one_comparison_at_a_time(run: Run, tmp_path: Path) -> None:
    """A file and an exchange may cover different times."""
    file = write_csv(tmp_path / "fills.csv", [])
    done = run("audit", forged(tmp_path / "trades.db"), "--fills", file, "--exchange", "a=binance")
    assert done.exit_code == 2
    assert "two comparisons" in done.output


def test_the_cores_of_this_machine_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that this process may use, where the system tells."""
    assert command.cores() >= 1
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert command.cores() == 1


def test_two_processes_find_the_same(run: Run, tmp_path: Path) -> None:
    """However many there are."""
    path = forged(tmp_path / "trades.db", seq_of("booked"), lambda body: body | {"booked": "2"})
    assert run("audit", path, "--jobs", 2).output == run("audit", path, "--jobs", 1).output
