"""`doctor`: which problem each finding names, what it says to do, and what it never prints."""

import json
import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import pytest
from support.commands import invoke, served

from mixpeek_async.emulator import Emulator, Fault

KEY = {"MIXPEEK_API_KEY": "sk_secret_4711", "MIXPEEK_NAMESPACE": "ns"}
STAGES = [
    "connection",
    "certificate",
    "service",
    "key accepted",
    "limits",
    "namespace resolves",
    "bucket",
    "page",
]


def examined(*args: str, emulator: Emulator | None = None, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The findings by name, with the exit code as `code`."""
    result = invoke("doctor", "--json", *args, emulator=emulator, env=env)
    report = json.loads(result.stdout)
    assert report["ok"] is (result.exit_code == 0)
    return {"code": result.exit_code} | {check["name"]: check for check in report["checks"]}


def states(found: dict[str, Any]) -> list[str]:
    """The states of the stages of a request, in their order."""
    return [found[stage]["state"] for stage in STAGES]


def test_all_is_well() -> None:
    with served(objects=3, requests_per_minute=60) as emulator:
        found = examined(emulator.bucket, emulator=emulator)
        assert len(emulator.requests) == 1
    assert states(found) == ["ok"] * 8
    assert found["code"] == 0
    assert found["limits"]["detail"] == "60 requests in 60 s, 59 left"
    assert re.fullmatch(r"3 rows, [\d,]+ bytes in \d\.\d{3} s", found["page"]["detail"])
    assert found["certificate"]["detail"] == "not needed: the address is http://"


def test_without_a_bucket_the_list_of_buckets_is_asked_for() -> None:
    with served() as emulator:
        found = examined(emulator=emulator)
        assert [request.endpoint for request in emulator.requests] == ["list_buckets"]
    assert found["bucket"]["state"] == "skipped"
    assert found["limits"]["detail"] == "the server names none"
    assert found["code"] == 0


def test_the_emulator_is_well() -> None:
    assert examined("--emulator", "--emulator-objects", "1")["code"] == 0


@pytest.mark.parametrize(
    ("fault", "stage", "code"),
    [
        (Fault.dropped(), "connection", 5),
        (Fault.http(500), "service", 5),
        (Fault.answer({"results": None}), "service", 1),
        (Fault.http(301), "service", 1),
        (Fault.http(401), "key accepted", 1),
        (Fault.http(403), "key accepted", 1),
        (Fault.http(429), "limits", 5),
        (Fault.http(404), "bucket", 1),
        (Fault.http(422), "bucket", 1),
    ],
)
def test_a_failure_is_blamed_on_its_stage(fault: Fault, stage: str, code: int) -> None:
    with served(faults={1: fault}) as emulator:
        found = examined(emulator.bucket, emulator=emulator)
        assert len(emulator.requests) == 1
    number = STAGES.index(stage)
    assert states(found) == ["ok"] * number + ["problem"] + ["skipped"] * (7 - number)
    assert found[stage]["next_step"]
    assert found["code"] == code


def test_a_namespace_that_does_not_resolve_is_named() -> None:
    with served() as emulator:
        found = examined(emulator.bucket, "--namespace", "other", emulator=emulator)
    assert found["namespace resolves"]["state"] == "problem"
    assert found["key accepted"]["state"] == "ok"


def test_without_a_bucket_a_404_is_blamed_on_the_service() -> None:
    with served(faults={1: Fault.http(404)}) as emulator:
        assert examined(emulator=emulator)["service"]["state"] == "problem"


def test_a_server_that_is_not_there_is_a_problem_of_the_connection() -> None:
    found = examined("--base-url", "https://127.0.0.1:1", env=KEY)
    assert found["connection"]["state"] == "problem"
    assert "clock" not in found
    assert found["code"] == 5


@pytest.mark.parametrize(("offset", "words"), [(3600, "behind"), (-3600, "ahead of")])
def test_a_wrong_clock_is_found(offset: int, words: str) -> None:
    with served(clock=lambda: time.time() + offset) as emulator:
        found = examined(emulator=emulator)
    assert found["clock"]["state"] == "problem"
    assert re.fullmatch(rf"3,\d{{3}} s {words} the server's", found["clock"]["detail"])
    assert found["code"] == 1


def test_a_clock_that_is_right_to_a_few_seconds_is_well() -> None:
    date = formatdate(time.time() - 30, usegmt=True)
    with served(faults={1: Fault(headers={"Date": date})}) as emulator:
        assert examined(emulator=emulator)["clock"]["state"] == "ok"


def test_a_server_without_a_date_says_nothing_of_the_clock() -> None:
    with served(faults={1: Fault(headers={"Date": "nonsense"})}) as emulator:
        assert "clock" not in examined(emulator=emulator)


def test_a_slow_page_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixpeek_async.cli._doctor._SLOW_PAGE", 0.0)
    with served() as emulator:
        found = examined(emulator.bucket, emulator=emulator)
    assert found["page"]["state"] == "warning"
    assert found["code"] == 0


@pytest.mark.parametrize(
    ("env", "name", "detail"),
    [
        ({"MIXPEEK_NAMESPACE": "ns"}, "key", "MIXPEEK_API_KEY is not set"),
        ({**KEY, "MIXPEEK_API_KEY": "sk_secret_4711\n"}, "key", "MIXPEEK_API_KEY ends with a line break"),
        ({"MIXPEEK_API_KEY": "sk_secret_4711"}, "namespace", "the namespace is not set"),
        (
            {**KEY, "MIXPEEK_NAMESPACE": "sk_secret_4711 "},
            "namespace",
            "MIXPEEK_NAMESPACE begins or ends with white space",
        ),
        ({**KEY, "MIXPEEK_BASE_URL": "sk_secret_4711"}, "address", "MIXPEEK_BASE_URL has no scheme"),
    ],
)
def test_a_wrong_setting_is_found_before_anything_is_sent(env: dict[str, str], name: str, detail: str) -> None:
    found = examined(env=env)
    assert found[name]["detail"].startswith(detail)
    assert found[name]["next_step"]
    assert "connection" not in found
    assert found["code"] == 1


def test_a_bucket_that_can_never_be_one_is_misuse() -> None:
    assert invoke("doctor", "..", env=KEY).exit_code == 2


def test_a_proxy_is_a_warning_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:sk_secret_4711@proxy.example")
    with served() as emulator:
        found = examined(emulator=emulator)
    assert found["proxy"]["state"] == "warning"
    assert "sk_secret_4711" not in str(found)
    assert found["code"] == 0


def test_people_get_lines_with_the_next_step() -> None:
    with served(faults={1: Fault.http(401)}) as emulator:
        result = invoke("doctor", emulator=emulator)
    lines = result.stdout.splitlines()
    assert lines[0] == "ok       key                 well-formed"
    number = next(n for n, line in enumerate(lines) if line.startswith("problem  key accepted        401: "))
    assert lines[number + 1].strip() == "next: make a new key, or have this one allowed to read the namespace"
    assert result.stderr == "error: something is wrong: key accepted\n"


@pytest.mark.parametrize("json_", [[], ["--json"]])
def test_the_key_is_never_printed(json_: list[str]) -> None:
    body = {"detail": "no such key: sk_secret_4711"}
    with served(api_key="sk_secret_4711", faults={1: Fault.answer(body, 401)}) as emulator:
        result = invoke("doctor", *json_, emulator=emulator)
    assert "4711" not in result.output
