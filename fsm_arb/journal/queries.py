"""What a reader of the journal asks SQLite."""

from __future__ import annotations

_FIELDS = (
    'r.seq, s.name, r.stream_seq, r.epoch, r.at_ns, r."trigger", r.state_before, r.state_after, r.payload,'
    " r.previous_hash, r.hash"
)
RECORDS_FROM = (
    f"SELECT {_FIELDS}, r.stream_previous, p.stream_seq, p.stream_id = r.stream_id,"  # noqa: S608
    " r.stream_seq <= s.length, s.first_seq, s.last_seq"
    " FROM records r LEFT JOIN streams s ON s.id = r.stream_id LEFT JOIN records p ON p.seq = r.stream_previous"
    " WHERE r.seq > ? AND r.seq <= ? ORDER BY r.seq LIMIT ?"
)
ONE_RECORD = f"SELECT {_FIELDS} FROM records r LEFT JOIN streams s ON s.id = r.stream_id WHERE r.seq = ?"  # noqa: S608
WALK_BACK = """
    WITH RECURSIVE walk (seq, remaining) AS (
        SELECT ?, ?
        UNION ALL
        SELECT r.stream_previous, walk.remaining - 1 FROM walk JOIN records r ON r.seq = walk.seq
        WHERE walk.remaining > 1 AND r.stream_previous < walk.seq)
    SELECT seq FROM walk"""
_HEADS = """
    SELECT s.id, s.name, s.first_seq, s.last_seq, s.length, s.live, s.seal,
           l.stream_id = s.id AND l.stream_seq = s.length AND f.stream_id = s.id AND f.stream_seq = 1
           AND s.id = (SELECT n.id FROM streams n WHERE n.name = s.name)
    FROM streams s LEFT JOIN records l ON l.seq = s.last_seq LEFT JOIN records f ON f.seq = s.first_seq
    WHERE s.id > ? {live} ORDER BY s.id LIMIT ?"""
HEADS_ALL = _HEADS.format(live="")
HEADS_LIVE = _HEADS.format(live="AND s.live = 1")
# Its neighbours are asked before the record itself: where it was altered, it may name another stream.
WHOSE = """
    SELECT s.name FROM streams s, (
        SELECT stream_id AS id, 0 AS rank FROM records WHERE stream_previous = ?1
        UNION ALL SELECT id, 1 FROM streams WHERE last_seq = ?1 OR first_seq = ?1
        UNION ALL SELECT stream_id, 2 FROM records WHERE seq = ?1) whose
    WHERE s.id = whose.id ORDER BY whose.rank LIMIT 1"""
_NAMES = "SELECT id, name FROM streams WHERE id > ? AND substr(name, 1, ?) = ? {live} ORDER BY id LIMIT ?"
NAMES_BY_LIVE = {
    None: _NAMES.format(live=""),
    True: _NAMES.format(live="AND live = 1"),
    False: _NAMES.format(live="AND live = 0"),
}
PLACE = "SELECT stream_seq, at_ns FROM records WHERE seq = ?"
