"""Settings: where they come from, what is refused, and that no refusal shows a value."""

from enum import Enum
from typing import Any

import pytest
import yarl
from hypothesis import example, given
from hypothesis import strategies as st

from mixpeek_async import AsyncMixpeek
from mixpeek_async.errors import InvalidArgumentError

VARIABLES = ("MIXPEEK_API_KEY", "MIXPEEK_NAMESPACE", "MIXPEEK_BASE_URL")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _address(base_url: str | None = None, **settings: Any) -> str:
    """Where a client with these settings asks, by its repr."""
    client = AsyncMixpeek(**{"api_key": "sk", "namespace": "ns", "base_url": base_url, **settings})
    return repr(client).removesuffix(">").rpartition(" ")[2]


def _refusal(**settings: Any) -> str:
    """What the constructor says against these settings. `settings` go over good ones."""
    with pytest.raises(InvalidArgumentError) as caught:
        AsyncMixpeek(**{"api_key": "sk", "namespace": "ns", **settings})
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(VARIABLES, ("sk_env", "ns_env", "https://env.example"), strict=True):
        monkeypatch.setenv(name, value)
    assert repr(AsyncMixpeek()) == "<AsyncMixpeek of namespace 'ns_env' at https://env.example>"


def test_an_argument_goes_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "no address, and\nno header")
    client = AsyncMixpeek("sk", namespace="ns", base_url="https://arg.example")
    assert repr(client) == "<AsyncMixpeek of namespace 'ns' at https://arg.example>"


def test_the_address_is_the_public_api_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _address() == "https://api.mixpeek.com"
    monkeypatch.setenv("MIXPEEK_BASE_URL", "")
    assert _address() == "https://api.mixpeek.com"


@pytest.mark.parametrize(("name", "variable"), [("api_key", VARIABLES[0]), ("namespace", VARIABLES[1])])
def test_what_is_missing_is_named_with_its_variable(name: str, variable: str) -> None:
    assert _refusal(**{name: None}) == f"there is no {name}: pass {name}=… or set {variable} in the environment"


@pytest.mark.parametrize(("name", "variable"), [("api_key", VARIABLES[0]), ("namespace", VARIABLES[1])])
def test_a_blank_variable_is_no_setting(name: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "  ")
    assert _refusal(**{name: None}).startswith(f"{name} is blank")


@pytest.mark.parametrize("name", ["api_key", "namespace"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is blank"),
        (" \t", "is blank"),
        ("hunter2\n", "ends with a line break, as text read from a file does: call .strip() on it"),
        ("hunter2\r\n", "ends with a line break"),
        (" hunter2", "begins or ends with white space"),
        ("hunter2\t", "begins or ends with white space"),
        ("hunter2\r\nX-Evil: 1", "characters that a header cannot carry"),
        ("hunter2\nhunter2", "characters that a header cannot carry"),
        ("hunter2\0", "characters that a header cannot carry"),
        ("hunter2\x7f", "characters that a header cannot carry"),
        ("hünter2", "characters that a header cannot carry"),
        ("hunter2\ud800", "characters that a header cannot carry"),
        (b"hunter2", "must be a string, not bytes"),
        (7, "must be a string, not int"),
        (["hunter2"], "must be a string, not list"),
    ],
)
def test_what_no_header_can_carry_is_refused_and_not_shown(name: str, value: Any, problem: str) -> None:
    refusal = _refusal(**{name: value})
    assert refusal.startswith(f"{name} ")
    assert problem in refusal
    assert "unter2" not in refusal


def test_a_key_holds_no_space_where_a_namespace_may() -> None:
    assert (
        _refusal(api_key="Bearer hunter2")
        == "api_key contains a space, which no key does: leave out 'Bearer ' if it begins with that"
    )
    assert AsyncMixpeek("sk", namespace="my videos")


class _Settings(str, Enum):  # noqa: UP042  # a StrEnum prints as its value; this one prints as its name
    NAMESPACE = "ns_enum"
    ADDRESS = "https://enum.example/v1"


def test_a_member_of_an_enum_of_strings_is_its_value() -> None:
    client = AsyncMixpeek("sk", namespace=_Settings.NAMESPACE, base_url=_Settings.ADDRESS)
    assert repr(client) == "<AsyncMixpeek of namespace 'ns_enum' at https://enum.example>"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://api.example", "https://api.example"),
        ("https://api.example/", "https://api.example"),
        ("https://api.example/v1", "https://api.example"),
        ("https://api.example/v1//", "https://api.example"),
        ("https://api.example//v1", "https://api.example"),
        ("https://api.example/mix/v1/", "https://api.example/mix"),
        ("https://api.example/mix/v12", "https://api.example/mix/v12"),
        ("https://api.example/a%2Fb/.../c", "https://api.example/a%2Fb/.../c"),
        ("HTTPS://API.example:8443", "HTTPS://API.example:8443"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_kept_but_for_its_version_and_its_last_slashes(base_url: str, address: str) -> None:
    assert _address(base_url) == address


@pytest.mark.parametrize(
    ("base_url", "problem"),
    [
        ("http://api.example", "unencrypted"),
        ("http://localhost.evil.example", "unencrypted"),
        ("http://127.0.0.1.evil.example", "unencrypted"),
        # Not this machine, but a name that is looked up in DNS.
        ("http://mixpeek.localhost", "unencrypted"),
        ("http://localhost.", "unencrypted"),
        ("http://0.0.0.0", "unencrypted"),
        ("http://192.168.1.1", "unencrypted"),
        ("https://user:hunter2@api.example", "user or a password"),
        ("https://hunter2@api.example", "user or a password"),
        ("https://api.example/@hunter2", "user or a password"),
        ("https://api.example/?key=hunter2", "without a query and a fragment"),
        ("https://api.example?", "without a query and a fragment"),
        ("https://api.example/#hunter2", "without a query and a fragment"),
        ("https://api.example#", "without a query and a fragment"),
        ("ftp://hunter2.example", "must begin with https://"),
        ("file://hunter2/etc", "must begin with https://"),
        ("wss://hunter2.example", "must begin with https://"),
        ("//hunter2.example", "must begin with https://"),
        ("hunter2.example", "has no scheme: put https:// in front"),
        ("hunter2.example:8080", "has no scheme: put https:// in front"),
        ("https://", "has no host"),
        ("https:///v1", "has no host"),
        ("https://:8443", "has no host"),
        ("https:hunter2.example", "has no host"),
        ("https://api.example/../hunter2", "segments '.' and '..'"),
        ("https://api.example/./hunter2", "segments '.' and '..'"),
        ("https://api.example/%2E%2e/hunter2", "segments '.' and '..'"),
        ("https://api.example/..", "segments '.' and '..'"),
        ("https://api.example:hunter2", "is not an address"),
        ("https://api.example:70000", "is not an address"),
        ("https://[hunter2", "is not an address"),
        ("https://[::1", "is not an address"),
        ("https://xn--hunter2-.example", "is not an address"),
        ("", "is empty or contains characters"),
        ("https://api.example/hunter2 x", "is empty or contains characters"),
        (" https://api.example/hunter2", "is empty or contains characters"),
        ("https://api.example\n", "is empty or contains characters"),
        ("https://api.example\\hunter2", "is empty or contains characters"),
        ("https://hünter2.example", "is empty or contains characters"),
        ("https://api.example/\0hunter2", "is empty or contains characters"),
        (b"https://hunter2.example", "must be a string, such as 'https://api.mixpeek.com', not bytes"),
        (8080, "must be a string"),
    ],
)
def test_an_address_that_is_none_or_not_safe_is_refused_and_not_shown(base_url: Any, problem: str) -> None:
    refusal = _refusal(base_url=base_url)
    assert refusal.startswith("base_url ")
    assert problem in refusal
    assert "unter2" not in refusal


def test_http_to_another_machine_is_a_decision() -> None:
    assert _address("http://10.0.0.7:8000", allow_insecure=True) == "http://10.0.0.7:8000"


def test_allow_insecure_allows_nothing_else() -> None:
    assert "must begin with https://" in _refusal(base_url="ftp://10.0.0.7", allow_insecure=True)


anything = st.one_of(
    st.just("fine"), st.none(), st.text(), st.text(st.characters(max_codepoint=127)), st.binary(), st.integers()
)
addresses = st.one_of(
    anything,
    st.builds("{}://{}{}".format, st.sampled_from(["https", "http", "HTTPS", "ftp"]), st.text(), st.text()),
    st.from_regex(r"\Ahttps?://[a-z0-9.:\[\]@%-]{0,20}(/[!-~]{0,10})?\Z"),
)


@given(api_key=anything, namespace=anything, base_url=addresses, allow_insecure=st.booleans())
@example(api_key="sk", namespace="ns", base_url="https://[v1.x]", allow_insecure=False)
@example(api_key="sk", namespace="ns", base_url="https://[::ffff:1.2.3.4%25x]", allow_insecure=False)
def test_any_settings_make_a_client_or_an_argument_error(
    api_key: Any, namespace: Any, base_url: Any, **more: Any
) -> None:
    try:
        client = AsyncMixpeek(api_key, namespace=namespace, base_url=base_url, **more)
    except InvalidArgumentError:
        return
    assert repr(client)


@given(base_url=addresses)
@example(base_url="https://a:/b")
@example(base_url="https://a:0")
@example(base_url="https://[1:]")
@example(base_url="https://1:2:3")
def test_any_address_that_is_taken_is_one_that_can_be_asked(base_url: Any) -> None:
    try:
        address = _address(base_url)
    except InvalidArgumentError:
        return
    target = yarl.URL(address + "/v1/buckets/b/objects/list?limit=1", encoded=True)
    assert target.host
    assert target.user is None
    assert target.scheme in {"http", "https"}
    assert target.raw_path.endswith("/v1/buckets/b/objects/list")
    assert target.raw_query_string == "limit=1"


@pytest.mark.parametrize("value", ["false", 0, 1, None])
def test_leave_to_send_the_key_unencrypted_is_true_or_false_and_nothing_like_it(value: Any) -> None:
    for address in ("https://api.test", "http://api.test"):
        with pytest.raises(InvalidArgumentError, match=r"^allow_insecure must be True or False"):
            AsyncMixpeek("sk", namespace="ns", base_url=address, allow_insecure=value)
