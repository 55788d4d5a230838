"""What an exception on create proves, seen through the real classes, and the table itself."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import ccxt.async_support as ccxt
import pytest
from attrs import evolve
from capture import LOOPBACK, Capture, Reply, ToLoopback
from ccxt.base import errors as ccxt_errors
from lab import SECRETS, Lab, real_exchange
from wires import WIRES

from fsm_arb.clock import SystemClock
from fsm_arb.ports import InDoubt, Refused
from fsm_arb.venues.ccxt_venue import CcxtVenue
from fsm_arb.venues.classify import classify, code_of, error_name, is_absent, is_network
from fsm_arb.venues.dialect import Dialect
from fsm_arb.venues.dialects import BINANCE, COINBASE, DEFAULT, UPBIT


def upbit_error(name: str, status: int = 400) -> Reply:
    return Reply(data={"error": {"name": name, "message": "..."}}, status=status)


def binance_error(code: int, message: str, status: int = 400) -> Reply:
    return Reply(data={"code": code, "msg": message}, status=status)


# Seen through the real class: exchange, reply, refused or in doubt, code.
SEEN: list[tuple[str, Reply, type, str]] = [
    # The venue looked at the order and said no.
    ("upbit", upbit_error("insufficient_funds_bid"), Refused, "insufficient_funds"),
    ("upbit", upbit_error("insufficient_funds_ask"), Refused, "insufficient_funds"),
    ("upbit", upbit_error("under_min_total_bid"), Refused, "under_minimum"),
    ("upbit", upbit_error("under_min_total_ask"), Refused, "under_minimum"),
    ("upbit", upbit_error("invalid_price_bid"), Refused, "invalid_price"),
    ("upbit", upbit_error("create_bid_error"), Refused, "invalid_order"),
    ("upbit", upbit_error("validation_error"), Refused, "bad_request"),
    ("upbit", upbit_error("jwt_verification", 401), Refused, "authentication_failed"),
    ("upbit", upbit_error("no_authorization_i_p", 401), Refused, "permission_denied"),
    ("upbit", upbit_error("out_of_scope", 403), Refused, "permission_denied"),
    ("upbit", upbit_error("too_many_requests", 429), Refused, "rate_limit_exceeded"),
    ("binance", binance_error(-2010, "Account has insufficient balance for requested action."), Refused,
     "insufficient_funds"),
    ("binance", binance_error(-1013, "Filter failure: LOT_SIZE"), Refused, "invalid_order"),
    ("binance", binance_error(-1021, "Timestamp for this request is outside of the recvWindow."), Refused,
     "invalid_nonce"),
    ("binance", binance_error(-2015, "Invalid API-key, IP, or permissions for action.", 401), Refused,
     "authentication_failed"),
    ("binance", binance_error(-1003, "Too many requests.", 429), Refused, "rate_limit_exceeded"),
    ("binance", binance_error(-1003, "Way too many requests; banned.", 418), Refused, "rate_limit_exceeded"),
    ("binanceusdm", binance_error(-2027, "Exceeded the maximum allowable position."), Refused, "operation_rejected"),
    ("binanceusdm", binance_error(-2019, "Margin is insufficient."), Refused, "insufficient_funds"),
    ("kraken", Reply(data={"error": ["EOrder:Insufficient funds"]}), Refused, "insufficient_funds"),
    ("okx", Reply(data={"code": "1", "data": [{"sCode": "51008", "sMsg": "Insufficient balance", "ordId": ""}]}),
     Refused, "insufficient_funds"),
    ("bithumb", upbit_error("under_price_limit_bid"), Refused, "price_out_of_band"),
    ("coinbase", Reply(data={"success": False, "error_response": {"error": "UNSUPPORTED_ORDER_CONFIGURATION"}}),
     Refused, "exchange_refused"),
    ("hyperliquid", Reply(data={"status": "ok", "response": {"type": "order", "data": {"statuses": [
        {"error": "Order could not immediately match against any resting orders. asset=0"}]}}}),
     Refused, "invalid_order"),
    # Nobody knows.
    ("upbit", upbit_error("some_new_name"), InDoubt, "exchange_error"),
    ("upbit", upbit_error("insufficient_funds_bid", 500), InDoubt, "server_error"),
    ("upbit", upbit_error("server_error", 500), InDoubt, "exchange_error"),
    ("upbit", upbit_error("identifier_already_used"), InDoubt, "duplicate_client_order_id"),
    ("binance", binance_error(-2010, "Duplicate order sent."), InDoubt, "duplicate_client_order_id"),
    ("binanceusdm", binance_error(-4116, "ClientOrderId is duplicated."), InDoubt, "duplicate_client_order_id"),
    ("bybit", Reply(data={"retCode": 110072, "retMsg": "OrderLinkedID is duplicate"}), InDoubt,
     "duplicate_client_order_id"),
    ("okx", Reply(data={"code": "1", "data": [{"sCode": "51016", "sMsg": "Client order ID already exists."}]}),
     InDoubt, "duplicate_client_order_id"),
    ("binance", binance_error(-1007, "Timeout waiting for response from backend server.", 504), InDoubt, "timeout"),
    ("binance", binance_error(-1006, "An unexpected response was received from the message bus."), InDoubt,
     "operation_failed"),
    ("bithumb", Reply(data={"market": "KRW-BTC"}), InDoubt, "reply_without_id"),
    *((name, Reply(text="", status=status), InDoubt, "exchange_not_available")
      for name in ("upbit", "binance") for status in (400, 403)),
    *((name, Reply(text="<html>bad gateway</html>", status=status, content_type="text/html"), InDoubt, code)
      for name in ("upbit", "binance")
      for status, code in ((502, "exchange_not_available"), (503, "exchange_not_available"), (504, "timeout"))),
    # An order may have been made, and ccxt raises nothing at all.
    *((name, reply, InDoubt, "reply_without_id") for name in ("upbit", "binance") for reply in (
        Reply(text='{"uuid": '), Reply(text=""), Reply(text="<html>welcome</html>", content_type="text/html"))),
    *((name, Reply(data=WIRES[name].created, truncate=True), InDoubt, "exchange_error")
      for name in ("upbit", "binance")),
    *((name, Reply(drop=True), InDoubt, "exchange_not_available") for name in ("upbit", "binance")),
]  # fmt: skip


@pytest.mark.parametrize(("exchange_id", "reply", "kind", "code"), SEEN)
async def test_a_reply_is_told_apart(make_lab: Any, exchange_id: str, reply: Reply, kind: type, code: str) -> None:
    """A refusal is what the venue proves; all else may have become an order."""
    lab: Lab = make_lab(exchange_id)
    lab.capture.on("GET", "/v5/user/query-api", {"retCode": 0, "result": {"uta": 1, "unified": 0}})
    lab.capture.on("GET", "/v5/account/info", {"retCode": 0, "result": {"unifiedMarginStatus": 6}})
    lab.capture.on("POST", WIRES[exchange_id].create, reply)
    outcome = await lab.place()
    assert isinstance(outcome, kind), outcome
    assert outcome.code == code, outcome
    assert outcome.wire.sent_at_ns is not None
    assert outcome.wire.http_status == (None if reply.drop or reply.truncate else reply.status)
    assert len(lab.capture.sent("POST", WIRES[exchange_id].create)) == 1, "an order is sent once"


async def test_a_silent_venue_leaves_the_order_in_doubt(make_lab: Any) -> None:
    """The request went out; that no answer came says nothing."""
    lab: Lab = make_lab("upbit", timeout=150)
    lab.capture.on("POST", "/v1/orders", Reply(data={}, delay_s=1.0))
    outcome = await lab.place()
    assert isinstance(outcome, InDoubt)
    assert outcome.code == "timeout"
    assert outcome.wire.sent_at_ns is not None
    assert outcome.wire.received_at_ns is None


async def place_on(session: aiohttp.ClientSession, exchange_id: str = "upbit", **config: Any) -> Any:
    exchange = real_exchange(exchange_id, session, **config)
    venue = CcxtVenue(exchange, name=exchange_id, clock=SystemClock())
    lab = Lab(Capture(), exchange, venue, next(iter(exchange.markets)))
    try:
        return await lab.place()
    finally:
        exchange.session = None


async def test_a_refused_connection_is_no_order(unused_tcp_port: int) -> None:
    """Nothing listened, so nothing was read."""
    connector = aiohttp.TCPConnector(resolver=ToLoopback(lambda: unused_tcp_port), ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        outcome = await place_on(session)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.wire.sent_at_ns) == ("not_sent", None)


async def test_a_name_that_does_not_resolve_is_no_order() -> None:
    """Without an address there was nobody to send to."""

    class Nowhere(ToLoopback):
        async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
            raise OSError(f"no address for {host}")

    connector = aiohttp.TCPConnector(resolver=Nowhere(lambda: 0), ssl=False)
    async with aiohttp.ClientSession(connector=connector) as session:
        outcome = await place_on(session)
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_sent"


async def test_a_connection_that_never_stands_is_no_order() -> None:
    """A server that accepts and never shakes hands holds the order up before its first byte."""

    done = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    connector = aiohttp.TCPConnector(resolver=ToLoopback(lambda: port), ssl=False)
    async with server, aiohttp.ClientSession(connector=connector) as session:
        outcome = await place_on(session, timeout=150)
        done.set()
    assert isinstance(outcome, Refused), outcome
    assert (outcome.code, outcome.wire.sent_at_ns) == ("not_sent", None)


async def test_a_missing_secret_is_no_order(server: Any) -> None:
    """ccxt refuses to sign, so nothing leaves."""
    capture, session = server
    outcome = await place_on(session, apiKey="", secret="")
    assert isinstance(outcome, Refused)
    assert outcome.code == "authentication_failed"
    assert capture.seen == []


async def test_a_cancelled_caller_gets_his_cancellation(make_lab: Any) -> None:
    """What became of the order is then for the caller to find out."""
    lab: Lab = make_lab("upbit")
    lab.capture.on("POST", "/v1/orders", Reply(data={}, delay_s=1.0))
    task = asyncio.create_task(lab.place())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_no_secret_survives_in_an_outcome(make_lab: Any) -> None:
    """Neither URL nor echo of the venue carries a credential or a signature out."""
    lab: Lab = make_lab("binance")
    echo = {"code": -2010, "msg": f"no {SECRETS['apiKey']}", "signature": "ab" * 32, "apiKey": SECRETS["apiKey"]}
    lab.capture.on("POST", "/api/v3/order", Reply(data=echo, status=400))
    outcomes = [await lab.place(), await lab.venue.cancel(lab.ref()), await lab.venue.observe(lab.ref())]
    text = repr(outcomes)
    for secret in SECRETS.values():
        assert secret not in text
    assert "ab" * 32 not in text
    assert "signature=***" in text


# The table itself: error, what was seen of the wire, verdict.
TABLE: list[tuple[BaseException, dict[str, Any], bool, str]] = [
    (ccxt.InsufficientFunds("x"), {}, True, "insufficient_funds"),
    (ccxt.InvalidOrder("x"), {}, True, "invalid_order"),
    (ccxt.BadRequest("x"), {}, True, "bad_request"),
    (ccxt.BadSymbol("x"), {}, True, "bad_symbol"),
    (ccxt.AuthenticationError("x"), {}, True, "authentication_failed"),
    (ccxt.PermissionDenied("x"), {}, True, "permission_denied"),
    (ccxt.MarketClosed("x"), {}, True, "market_closed"),
    (ccxt.InvalidNonce("x"), {}, True, "invalid_nonce"),
    (ccxt.RateLimitExceeded("x"), {}, True, "rate_limit_exceeded"),
    (ccxt.DDoSProtection("x"), {}, True, "rate_limit_exceeded"),
    (ccxt.ArgumentsRequired("x"), {}, True, "arguments_required"),
    (ccxt.NotSupported("x"), {}, True, "not_supported"),
    (ccxt.DuplicateOrderId("x"), {}, False, "duplicate_client_order_id"),
    (ccxt.InvalidOrder("Duplicate clientOrderId"), {}, False, "duplicate_client_order_id"),
    (ccxt.OrderNotFound("x"), {}, False, "order_not_found"),
    (ccxt.RequestTimeout("x"), {}, False, "timeout"),
    (ccxt.ExchangeNotAvailable("x"), {}, False, "exchange_not_available"),
    (ccxt.OnMaintenance("x"), {}, False, "on_maintenance"),
    (ccxt.NetworkError("x"), {}, False, "network_error"),
    (ccxt.OperationFailed("x"), {}, False, "operation_failed"),
    (ccxt.OperationRejected("x"), {}, False, "operation_rejected"),
    (ccxt.OperationRejected("x"), {"status": 400, "body": "{}"}, True, "operation_rejected"),
    (ccxt.BadResponse("x"), {}, False, "bad_response"),
    (ccxt.NullResponse("x"), {}, False, "bad_response"),
    (ccxt.ExchangeError("x"), {}, False, "exchange_error"),
    (ccxt.ExchangeError("x"), {"status": 429, "body": "{}"}, True, "rate_limit_exceeded"),
    (ccxt.InsufficientFunds("x"), {"status": 503, "body": "{}"}, False, "server_error"),
    (ccxt.InvalidOrder("x"), {"status": 400, "body": ""}, False, "empty_reply"),
    (TimeoutError(), {}, False, "timeout"),
    (ConnectionResetError(), {}, False, "network_error"),
    (KeyError("x"), {}, False, "unexpected_error"),
    (KeyError("x"), {"unsent": True}, True, "not_sent"),
    (ccxt.RequestTimeout("x"), {"unsent": True}, True, "not_sent"),
    (ccxt.InvalidOrder("x"), {"unsent": True}, True, "invalid_order"),
]


@pytest.mark.parametrize(("error", "wire", "refused", "code"), TABLE)
def test_the_table(error: BaseException, wire: dict[str, Any], refused: bool, code: str) -> None:
    """Each error of ccxt has one reading, also where nothing is known of the wire."""
    verdict = classify(error, DEFAULT, **wire)
    assert (verdict.refused, verdict.code) == (refused, code)


@pytest.mark.parametrize("cause", [ConnectionRefusedError(), socket.gaierror()])
def test_a_cause_before_the_connection_proves_that_nothing_was_sent(cause: OSError) -> None:
    """Objects that hide their wire still say why they failed."""
    error = ccxt.ExchangeNotAvailable("x")
    error.__cause__ = cause
    verdict = classify(error, BINANCE)
    assert (verdict.refused, verdict.code) == (True, "not_sent")


def look_alike(name: str) -> Exception:
    """An error of that name which is nothing else, as a fake would raise it."""
    error: Exception = type(name, (Exception,), {})("x")
    return error


# What proves that there is no order and never will be, and as what it is told. Nothing else does.
PROOFS = {
    "InsufficientFunds": "insufficient_funds",
    "InvalidOrder": "invalid_order",
    "OrderImmediatelyFillable": "post_only_would_take",
    "OrderNotFillable": "order_not_fillable",
    "ContractUnavailable": "contract_unavailable",
    "BadRequest": "bad_request",
    "BadSymbol": "bad_symbol",
    "ArgumentsRequired": "arguments_required",
    "NotSupported": "not_supported",
    "AuthenticationError": "authentication_failed",
    "PermissionDenied": "permission_denied",
    "AccountNotEnabled": "account_not_enabled",
    "AccountSuspended": "account_suspended",
    "MarketClosed": "market_closed",
    "RestrictedLocation": "restricted_location",
    "InvalidNonce": "invalid_nonce",
    "RateLimitExceeded": "rate_limit_exceeded",
    "DDoSProtection": "rate_limit_exceeded",
    "ExchangeClosedByUser": "not_sent",
    "InvalidProxySettings": "not_sent",
}
NO_PROOFS = {
    "DuplicateOrderId": "duplicate_client_order_id",
    "OrderNotFound": "order_not_found",
    "OrderNotCached": "order_not_found",
    "ChecksumError": "bad_response",
    "OnMaintenance": "on_maintenance",
    "ExchangeNotAvailable": "exchange_not_available",
    "RequestTimeout": "timeout",
    "NetworkError": "network_error",
    "NullResponse": "bad_response",
    "BadResponse": "bad_response",
    "CancelPending": "cancel_pending",
    "OperationFailed": "operation_failed",
    "OperationRejected": "operation_rejected",
    "ExchangeError": "exchange_error",
    "BaseError": "exchange_error",
    "TimeoutError": "timeout",
    "ConnectionError": "network_error",
    "OSError": "network_error",
    "ClientError": "network_error",
    "AnyOther": "unexpected_error",
}


@pytest.mark.parametrize("name", PROOFS | NO_PROOFS)
def test_an_error_is_read_by_its_name(name: str) -> None:
    """A fake need not import ccxt to be understood; a code stays what it is, for those who look for it."""
    verdict = classify(look_alike(name), DEFAULT)
    assert (verdict.refused, verdict.code) == (name in PROOFS, (PROOFS | NO_PROOFS)[name])
    assert code_of(look_alike(name)) == verdict.code


def test_every_error_of_ccxt_is_known_by_itself_or_by_what_it_is_a_case_of() -> None:
    """None is unexpected."""
    for name in ccxt_errors.__all__:
        error = getattr(ccxt_errors, name)
        if isinstance(error, type):
            assert code_of(error("x")) != "unexpected_error"


@pytest.mark.parametrize(
    "name",
    [
        "gaierror",
        "ConnectionRefusedError",
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "ClientProxyConnectionError",
        "ClientConnectorSSLError",
        "ClientConnectorCertificateError",
        "ClientSSLError",
        "ConnectionTimeoutError",
        "ServerFingerprintMismatch",
    ],
)
def test_what_failed_before_there_was_a_connection_was_not_sent(name: str) -> None:
    """However deep the cause is; a status that was seen says otherwise, and so does any other cause."""
    middle = look_alike("ClientError")
    middle.__cause__ = look_alike(name)
    error = look_alike("NetworkError")
    error.__cause__ = middle
    assert classify(error, DEFAULT).code == "not_sent"
    assert classify(error, DEFAULT).refused
    assert not classify(error, DEFAULT, status=200, body="{}").refused
    middle.__cause__ = look_alike("ServerDisconnectedError")
    assert not classify(error, DEFAULT).refused


def test_the_flag_of_a_row_is_the_proof_not_the_error() -> None:
    """Coinbase says in so many words whether an order was created."""
    error = ccxt.ExchangeError("x")
    assert classify(error, COINBASE, status=200, body='{"success": false}').refused
    assert not classify(error, COINBASE, status=200, body='{"success": true}').refused


def reading(error: BaseException, row: Dialect = DEFAULT, **seen: Any) -> tuple[bool, str]:
    verdict = classify(error, row, **seen)
    return verdict.refused, verdict.code


def test_what_failed_by_itself_before_there_was_a_connection_was_not_sent() -> None:
    """It need not be the cause of another error."""
    assert reading(look_alike("gaierror")) == (True, "not_sent")


@pytest.mark.parametrize(
    ("error", "seen", "duplicate"),
    [
        (ccxt.InvalidOrder("x"), {"status": 400, "body": '{"msg": "client_oid already exists"}'}, True),
        (ccxt.InvalidOrder("x"), {"status": 400, "body": '{"msg": "seen before"}'}, True),  # as its row says
        (ccxt.InvalidOrder("seen before"), {}, True),
        (ccxt.InvalidOrder("x"), {"status": 400, "body": '{"msg": "too small"}'}, False),
        (ccxt.RequestTimeout("no answer about duplicate"), {}, False),  # its text is of our own request
        (KeyError("duplicate"), {}, False),  # of our own code
    ],
)
def test_an_id_that_the_venue_has_seen_before_is_no_proof(
    error: BaseException, seen: dict[str, Any], duplicate: bool
) -> None:
    """The order exists, by an earlier attempt; whatever error it is dressed as."""
    row = evolve(DEFAULT, duplicate_words=("seen before",))
    assert (reading(error, row, **seen) == (False, "duplicate_client_order_id")) is duplicate


def test_a_reply_that_names_no_order_may_mean_one() -> None:
    """The library complains in the words of a refusal."""
    assert reading(ccxt.ExchangeError("bithumb createOrder() did not return an order id")) == (
        False,
        "reply_without_id",
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (499, "{}", (True, "invalid_order")),
        (500, "{}", (False, "server_error")),
        (400, "", (False, "empty_reply")),
        (403, None, (False, "empty_reply")),
        (400, "{}", (True, "invalid_order")),
        (401, "", (True, "invalid_order")),
        (404, "", (True, "invalid_order")),
    ],
)
def test_a_status_can_keep_in_doubt_what_the_library_calls_a_refusal(
    status: int, body: str | None, expected: tuple[bool, str]
) -> None:
    """A server in trouble says nothing of the order, and an empty no may be a proxy's."""
    assert reading(ccxt.InvalidOrder("x"), status=status, body=body) == expected
    assert reading(ccxt.ExchangeNotAvailable("x"), status=503, body="{}") == (False, "exchange_not_available")


@pytest.mark.parametrize(("status", "refused"), [(None, False), (200, False), (399, False), (404, True), (499, True)])
def test_an_operation_is_rejected_only_with_the_status_of_a_business_error(status: int | None, refused: bool) -> None:
    """Else the words are the library's own guess."""
    assert reading(ccxt.OperationRejected("x"), status=status, body="{}") == (refused, "operation_rejected")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, '{"code": 0}', (True, "rate_limit_exceeded")),
        (429, "slow down", (False, "exchange_error")),  # no reply of the venue's
        (429, "[429]", (False, "exchange_error")),
        (400, '{"code": "Z12"}', (True, "no_such_market")),
        (404, '{"error": {"name": "Z1"}}', (True, "no_such_market")),
        (200, '{"code": "Z12"}', (False, "exchange_error")),
        (400, '{"code": "Y"}', (False, "exchange_error")),
        (400, '{"code": "Z12", "ok": 0}', (True, "no_such_market")),  # zero is not False
        (200, '{"ok": false}', (True, "exchange_refused")),
        (200, '{"ok": null}', (False, "exchange_error")),
    ],
)
def test_a_bare_error_is_a_refusal_where_the_row_of_its_exchange_proves_it(
    status: int, body: str, expected: tuple[bool, str]
) -> None:
    """By a flag, by the status of a limit, or by how its name begins in the reply of a business error."""
    row = evolve(DEFAULT, refusal_flag=("ok", False), refusal_names={"Z1": "no_such_market"})
    assert reading(ccxt.ExchangeError("x"), row, status=status, body=body) == expected
    assert reading(KeyError("x"), row, status=status, body=body) == (False, "unexpected_error")


def test_names_in_replies_are_read_leniently() -> None:
    """A body that is no JSON, or of another shape, names nothing."""
    assert error_name('{"error": {"name": "order_not_found"}}') == "order_not_found"
    assert error_name('{"error": "x"}') == error_name("<html>") == error_name(None) == error_name("[1]") == ""
    assert not classify(ccxt.ExchangeError("x"), UPBIT, status=400, body="[1]").refused


def test_reads_have_codes_too() -> None:
    """What a failed read says is stable as well."""
    assert code_of(ccxt.RequestTimeout("x")) == "timeout"
    assert code_of(ValueError("x")) == "unexpected_error"
    assert is_absent(ccxt.OrderNotFound("x"))
    assert not is_absent(ccxt.InvalidOrder("x"))
    assert is_network(ccxt.RequestTimeout("x"))
    assert is_network(OSError())
    assert is_network(TimeoutError())
    assert not is_network(ccxt.InvalidOrder("x"))


def test_a_code_names_what_an_error_object_does_not() -> None:
    """Exchanges write it one way or the other; of both, the name is in the object."""
    assert error_name('{"code": -2011}') == "-2011"
    assert error_name('{"error": {"name": "x"}, "code": 7}') == "x"
    assert error_name('{"error": {}}') == error_name("{}") == error_name("") == ""
    assert is_network(TimeoutError())
    assert not is_network(ccxt.BadRequest("x"))
