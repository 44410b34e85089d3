"""The command `doctor`: it checks the settings, sends one request, and judges the answer."""

import os
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import aiohttp

from mixpeek_async import (
    AsyncMixpeek,
    AuthenticationError,
    CertificateError,
    Hooks,
    InvalidArgumentError,
    MixpeekError,
    NamespaceUnresolvedError,
    NotFoundError,
    Pager,
    PermissionDeniedError,
    RateLimitError,
    ResponseReceived,
    RetryPolicy,
    TransportError,
    ValidationError,
)
from mixpeek_async.cli._connection import connected, in_words_of
from mixpeek_async.cli._interrupt import Interruption
from mixpeek_async.cli._options import Connection
from mixpeek_async.cli._output import print_text
from mixpeek_async.cli._run import Failure, Temporary, run
from mixpeek_async.cli._text import json_document, printable

State = Literal["ok", "warning", "problem", "skipped"]

_WORST_SKEW = 60.0
_SLOW_PAGE = 10.0

# The order in which a request can fail. The stages before a failure work; the later ones were not reached.
_STAGES = ("connection", "certificate", "service", "key accepted", "limits", "namespace resolves", "bucket", "page")

_BLAMED: tuple[tuple[type[MixpeekError], str], ...] = (
    (CertificateError, "certificate"),
    (TransportError, "connection"),
    (AuthenticationError, "key accepted"),
    (PermissionDeniedError, "key accepted"),
    (RateLimitError, "limits"),
    (NamespaceUnresolvedError, "namespace resolves"),
    (NotFoundError, "bucket"),
    (ValidationError, "bucket"),
)

_NEXT_STEPS: Mapping[str, str] = {
    "key": "set MIXPEEK_API_KEY to a key from the settings of your organization, without a space or a line break",
    "namespace": "give --namespace, or set MIXPEEK_NAMESPACE",
    "address": "leave out --base-url and MIXPEEK_BASE_URL for the public API",
    "proxy": "if the network needs it, use the library with aiohttp.ClientSession(trust_env=True)",
    "connection": "look at the network: the name of the host, a firewall, a proxy that is needed",
    "certificate": "a proxy that opens TLS needs its certificate in the trust store of this machine (SSL_CERT_FILE)",
    "service": "run it again later; if it stays, tell the operator of the API what is said here",
    "key accepted": "make a new key, or have this one allowed to read the namespace",
    "limits": "wait until the limit resets, or have it raised",
    "namespace resolves": "compare --namespace or MIXPEEK_NAMESPACE with the namespaces that this key may use",
    "bucket": "see what buckets there are: mixpeek-async buckets",
    "clock": "set the clock of this machine: it is compared with dates that servers send",
    "page": "try a smaller --page-size",
}

_GOOD: Mapping[str, str] = {
    "connection": "the server answers",
    "service": "the answer is what the API promises",
    "key accepted": "yes",
    "namespace resolves": "yes",
    "bucket": "it answers",
}


@dataclass(frozen=True)
class Check:
    """One finding. `next_step` says what to do, where there is something to do."""

    name: str
    state: State
    detail: str
    next_step: str | None = None


@dataclass
class Evidence:
    """What one request has shown: the headers of the answer, its time and size, and how it failed."""

    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = ""
    skew: float | None = None
    seconds: float = 0.0
    size: int = 0
    rows: int = 0
    error: MixpeekError | None = None

    async def note_headers(self, session: object, context: object, params: aiohttp.TraceRequestEndParams) -> None:
        """Called by aiohttp with each answer."""
        self.headers = params.response.headers
        self.scheme = params.url.scheme
        self.skew = _skew(self.headers.get("Date"), time.time())

    def note_response(self, response: ResponseReceived) -> None:
        """Called by the client with each answer that was read whole."""
        self.seconds, self.size = response.seconds, response.size


def examine(connection: Connection, bucket: str | None, *, as_json: bool) -> None:
    """Print the findings. A problem among them leaves by an exception of click's."""
    checks = _setting_checks(connection)
    evidence = Evidence()

    async def work(interruption: Interruption) -> None:
        if not _problems(checks):
            await _ask(connection, bucket, evidence)
            checks.extend(_request_checks(evidence, bucket))
        print_text(_as_json(checks) if as_json else _as_text(checks), interruption)

    run(work, in_words_of(connection))
    if problems := _problems(checks):
        kind = Temporary if evidence.error is not None and evidence.error.retryable else Failure
        raise kind(f"something is wrong: {', '.join(problems)}")


def _problems(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if check.state == "problem"]


def _setting_checks(connection: Connection) -> list[Check]:
    """Checks before anything is sent. No value is shown: the key may be in the wrong variable."""
    if connection.emulator:
        return [Check("settings", "ok", "the emulator brings its own")]
    words = in_words_of(connection)
    key, namespace = os.environ.get("MIXPEEK_API_KEY", ""), connection.namespace or os.environ.get("MIXPEEK_NAMESPACE")
    address = {"base_url": connection.base_url, "allow_insecure": connection.allow_insecure}
    return [
        _checked("key", _missing("MIXPEEK_API_KEY", key) or _refused(words, api_key=key), "well-formed"),
        _checked("namespace", _missing("the namespace", namespace) or _refused(words, namespace=namespace), "is set"),
        _checked("address", _refused(words, **address), "well-formed"),
        _proxy_check(),
    ]


def _checked(name: str, problem: str | None, detail: str) -> Check:
    return Check(name, "problem", problem, _NEXT_STEPS[name]) if problem else Check(name, "ok", detail)


def _missing(name: str, value: str | None) -> str | None:
    return None if value and value.strip() else f"{name} is not set"


def _refused(translate: Callable[[str], str], **setting: Any) -> str | None:
    """Why the client refuses one setting, the others being good."""
    good = {"api_key": "sk_good", "namespace": "good", "base_url": "https://localhost"}
    try:
        AsyncMixpeek(**{**good, **setting})
    except InvalidArgumentError as error:
        return translate(error.message)
    return None


def _proxy_check() -> Check:
    # The address of a proxy may hold a password: it is not shown.
    if {"https", "all"} & urllib.request.getproxies().keys():
        return Check("proxy", "warning", "HTTPS_PROXY is set, and this command does not use it", _NEXT_STEPS["proxy"])
    return Check("proxy", "ok", "none is set; this command connects directly")


async def _ask(connection: Connection, bucket: str | None, evidence: Evidence) -> None:
    """Send one request, without retries: the first failure is the one to explain."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(evidence.note_headers)
    settings: dict[str, Any] = {"retry": RetryPolicy(attempts=1), "trace_configs": [trace]}
    async with connected(connection, bucket, Hooks(response=evidence.note_response), **settings) as (client, name):
        pager: Pager[Any] = client.objects.list(name, prefetch=0) if bucket else client.buckets.list(prefetch=0)
        try:
            evidence.rows = len((await pager).results)
        except MixpeekError as error:
            evidence.error = error


def _request_checks(evidence: Evidence, bucket: str | None) -> Iterator[Check]:
    """One check for each stage of a request, in the order of _STAGES, and one for the clock."""
    failed = _failed_stage(evidence.error, bucket)
    reached = True
    for stage in _STAGES:
        if stage == failed:
            yield Check(stage, "problem", str(evidence.error), _NEXT_STEPS[stage])
            reached = False
        elif reached:
            yield _good_stage(stage, evidence, bucket)
        else:
            yield Check(stage, "skipped", "not reached")
    if evidence.skew is not None:
        yield _clock_check(evidence.skew)


def _failed_stage(error: MixpeekError | None, bucket: str | None) -> str | None:
    if error is None:
        return None
    stage = next((name for kind, name in _BLAMED if isinstance(error, kind)), "service")
    # Without BUCKET, a 404 is about the address: the server does not know the list of buckets.
    return "service" if stage == "bucket" and not bucket else stage


def _good_stage(stage: str, evidence: Evidence, bucket: str | None) -> Check:
    match stage:
        case "certificate":
            return Check(stage, "ok", "trusted" if evidence.scheme == "https" else "not needed: the address is http://")
        case "limits":
            return Check(stage, "ok", _limits(evidence.headers))
        case "bucket" if not bucket:
            return Check(stage, "skipped", "give BUCKET to have it looked at")
        case "page":
            rows = "1 row" if evidence.rows == 1 else f"{evidence.rows:,} rows"
            detail = f"{rows}, {evidence.size:,} bytes in {evidence.seconds:.3f} s"
            slow = evidence.seconds > _SLOW_PAGE
            return Check(stage, "warning", detail, _NEXT_STEPS[stage]) if slow else Check(stage, "ok", detail)
        case _:
            return Check(stage, "ok", _GOOD[stage])


def _limits(headers: Mapping[str, str]) -> str:
    """The rate limit that the server names in its headers."""
    limit, left = headers.get("X-RateLimit-Limit"), headers.get("X-RateLimit-Remaining", "?")
    if limit is None:
        return "the server names none"
    window = headers.get("X-RateLimit-Window", "60")
    return printable(f"{limit:.20} requests in {window:.20} s, {left:.20} left")


def _clock_check(skew: float) -> Check:
    if abs(skew) <= _WORST_SKEW:
        return Check("clock", "ok", f"within {_WORST_SKEW:.0f} s of the server's")
    way = "ahead of" if skew > 0 else "behind"
    return Check("clock", "problem", f"{abs(skew):,.0f} s {way} the server's", _NEXT_STEPS["clock"])


def _skew(date: str | None, now: float) -> float | None:
    """By how many seconds the clock of this machine is ahead of the `Date` of an answer."""
    try:
        return now - parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return None


def _as_json(checks: list[Check]) -> str:
    return json_document({"ok": not _problems(checks), "checks": list(map(asdict, checks))}) + "\n"


def _as_text(checks: list[Check]) -> str:
    lines = []
    for check in checks:
        lines.append(f"{check.state:8} {check.name:19} {check.detail}")
        if check.next_step:
            lines.append(f"{'':28} next: {check.next_step}")
    return "\n".join(lines) + "\n"
