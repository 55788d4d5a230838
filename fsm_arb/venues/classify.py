"""Tell a proven refusal from an order in doubt.

A table of exception names, asked along the exception's own ancestry, so that
ccxt need not be imported and look-alikes of its errors are read alike. What is
not in the table is in doubt.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsm_arb.venues.dialect import Dialect

# The venue (or ccxt, before it sent anything) looked at the order and said no.
REFUSALS: Mapping[str, str] = {
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

# Nobody knows. The names below are listed for their codes; any other is in doubt as well.
DOUBTS: Mapping[str, str] = {
    "DuplicateOrderId": "duplicate_client_order_id",
    "OrderNotFound": "order_not_found",  # as an answer to a create it makes no sense
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
}

# Nothing can have been written where one of these is the cause: there was no connection yet.
UNSENT_CAUSES = frozenset({
    "gaierror", "ConnectionRefusedError", "ClientConnectorError", "ClientConnectorDNSError",
    "ClientProxyConnectionError", "ClientConnectorSSLError", "ClientConnectorCertificateError", "ClientSSLError",
    "ConnectionTimeoutError", "ServerFingerprintMismatch",
})  # fmt: skip

# How venues say that they have seen a client id before. No exchange of the table maps it to `DuplicateOrderId`.
DUPLICATE_WORDS = re.compile(
    r"(?i)duplicat|(?:client|cl|custom|identifier|order.?link)[^\"]{0,40}(?:already|repeat|exist|been used|not unique)"
    r"|(?:already|repeat)[^\"]{0,30}(?:identifier|client.?o|order.?link|text)"
)

# ccxt's own complaint (bithumb), of the class of a refusal, about a reply that may well mean an order.
NO_ID_WORDS = re.compile(r"(?i)did not return an? (?:order )?id")

BAD_REQUEST, FORBIDDEN, TOO_MANY, SERVER_ERROR = 400, 403, 429, 500
CLIENT_ERRORS = range(400, 500)


@frozen(kw_only=True)
class Verdict:
    """What an exception says about the order."""

    refused: bool  # False: in doubt
    code: str  # stable, snake_case


def ancestry(error: BaseException) -> Iterator[str]:
    """Yield the class names of *error*, most special first."""
    for cls in type(error).__mro__:
        yield cls.__name__


def code_of(error: BaseException) -> str:
    """Return the stable code of an exception, for reads that failed."""
    for name in ancestry(error):
        code = REFUSALS.get(name) or DOUBTS.get(name)
        if code:
            return code
    return "unexpected_error"


def is_absent(error: BaseException) -> bool:
    """Whether the venue answered that it does not show the order."""
    return "OrderNotFound" in ancestry(error)


def is_network(error: BaseException) -> bool:
    """Whether the question may not have reached the venue, or its answer us."""
    return isinstance(error, OSError | asyncio.TimeoutError) or "OperationFailed" in ancestry(error)


def _unsent_by_cause(error: BaseException) -> bool:
    link: BaseException | None = error
    while link is not None:
        if UNSENT_CAUSES.intersection(ancestry(link)):
            return True
        link = link.__cause__
    return False


def _json(body: str | None) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def error_name(body: str | None) -> str:
    """Return the name in a reply of the form ``{"error": {"name": …}}``, as Upbit and its kin send; else nothing."""
    reply = _json(body)
    if not isinstance(reply, dict):
        return ""
    error = reply.get("error")
    return str(error.get("name", "")) if isinstance(error, dict) else str(reply.get("code", ""))


def classify(
    error: BaseException, dialect: Dialect, *, unsent: bool = False, status: int | None = None, body: str | None = None
) -> Verdict:
    """Return what an exception on create proves.

    Args:
        error: What ccxt raised.
        dialect: The exchange's row; it knows which bare errors are business refusals.
        unsent: Whether it was seen that no byte of the order was written.
        status: HTTP status of the reply; None if there was none, or it was not seen.
        body: The reply's text; None if there was none, or it was not seen.

    Returns:
        Refused only where it is proven that the order does not exist and never will.
    """
    name = next((name for name in ancestry(error) if name in REFUSALS or name in DOUBTS), "")
    if unsent or (status is None and _unsent_by_cause(error)):
        return Verdict(refused=True, code=REFUSALS.get(name, "not_sent"))
    if name not in {"", "RequestTimeout"} and _is_duplicate(error, dialect, body):
        return Verdict(refused=False, code="duplicate_client_order_id")
    if NO_ID_WORDS.search(str(error)):
        return Verdict(refused=False, code="reply_without_id")
    doubt = _doubt_by_status(status, body)
    if doubt is not None:
        return Verdict(refused=False, code=DOUBTS.get(name, doubt))
    code = REFUSALS.get(name) or _refusal_by_body(name, dialect, status, body)
    return (
        Verdict(refused=True, code=code) if code else Verdict(refused=False, code=DOUBTS.get(name, "unexpected_error"))
    )


def _doubt_by_status(status: int | None, body: str | None) -> str | None:
    """Return a code where the HTTP status alone keeps the order in doubt, whatever class ccxt chose."""
    if status is not None and status >= SERVER_ERROR:
        return "server_error"  # venues document 5xx as "unknown", whatever the body says
    if status in {BAD_REQUEST, FORBIDDEN} and not body:
        return "empty_reply"  # a proxy's answer as likely as the venue's
    return None


def _is_duplicate(error: BaseException, dialect: Dialect, body: str | None) -> bool:
    text = f"{error} {body or ''}"
    return bool(DUPLICATE_WORDS.search(text)) or any(word in text for word in dialect.duplicate_words)


def _refusal_by_body(name: str, dialect: Dialect, status: int | None, body: str | None) -> str | None:
    """Return the code of an error that the reply and the dialect prove to be a refusal, else None."""
    if name == "OperationRejected":  # recognised by ccxt; a refusal where it has the status of a business error
        return "operation_rejected" if status in CLIENT_ERRORS else None
    reply = _json(body)
    if name != "ExchangeError" or not isinstance(reply, dict):
        return None
    if dialect.refusal_flag is not None and reply.get(dialect.refusal_flag[0]) is dialect.refusal_flag[1]:
        return "exchange_refused"
    if status == TOO_MANY:
        return "rate_limit_exceeded"
    word = error_name(body) if status in CLIENT_ERRORS else ""
    return next((code for start, code in dialect.refusal_names.items() if word.startswith(start)), None)
