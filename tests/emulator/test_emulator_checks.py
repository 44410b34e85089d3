"""Which requests are refused, with which response, and which check comes first."""

import json
from typing import Any

import pytest

from mixpeek_async.emulator import Emulator

OTHER = {"X-Namespace": "ns_other"}


async def _error(post: Any, *args: Any, **kwargs: Any) -> tuple[int, str]:
    async with Emulator(objects=1) as emulator:
        reply = await post(emulator, *args, **kwargs)
    assert reply.body["success"] is False
    assert reply.body["status"] == reply.status
    return reply.status, reply.body["error"]["type"]


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer wrong", "bearer sk_emulator", "sk_emulator", "Bearer sk_emulator2"]
)
async def test_any_other_authorization_is_refused(post: Any, value: str) -> None:
    assert await _error(post, headers={"Authorization": value}) == (401, "UnauthorizedError")


async def test_no_authorization_is_refused(post: Any) -> None:
    assert await _error(post, without="Authorization") == (401, "UnauthorizedError")


async def test_no_namespace_is_refused(post: Any) -> None:
    assert await _error(post, without="X-Namespace") == (400, "BadRequestError")


async def test_an_empty_namespace_is_refused(post: Any) -> None:
    assert await _error(post, headers={"X-Namespace": ""}) == (400, "BadRequestError")


async def test_an_unknown_bucket_is_not_found(post: Any) -> None:
    assert await _error(post, path="/v1/buckets/nowhere/objects/list") == (404, "NotFoundError")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/buckets/bkt_emulator/objects/list"),
        ("POST", "/v1/buckets/bkt_emulator/objects/list/"),
        ("POST", "/v1/buckets//objects/list"),
        ("POST", "/v1/buckets/a/b/objects/list"),
        ("POST", "/"),
    ],
)
async def test_any_other_endpoint_is_not_found(post: Any, method: str, path: str) -> None:
    assert await _error(post, method=method, path=path) == (404, "NotFoundError")


async def test_a_bucket_name_is_one_decoded_path_segment(post: Any) -> None:
    async with Emulator(objects=2, bucket="a/b ü") as emulator:
        reply = await post(emulator, path="/v1/buckets/a%2Fb%20%C3%BC/objects/list")
    assert len(reply.body["results"]) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", ""),
        ("limit", "1.0"),
        ("limit", "9" * 5_000),
        ("offset", "-1"),
        ("offset", "10001"),
        ("offset", "x"),
        ("include_total", "True"),
        ("include_total", "1"),
    ],
)
async def test_a_parameter_out_of_bounds_is_named(post: Any, name: str, value: str) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, {name: value})
    assert (reply.status, reply.body["error"]["type"]) == (422, "ValidationError")
    (problem,) = reply.body["error"]["details"]["validation_errors"]
    assert problem["loc"] == ["query", name]


@pytest.mark.parametrize(
    "query", [{"limit": 1}, {"limit": 1000}, {"offset": 0}, {"offset": 10_000}, {"include_total": "false"}]
)
async def test_the_bounds_themselves_are_fine(post: Any, query: dict[str, Any]) -> None:
    async with Emulator() as emulator:
        assert (await post(emulator, query)).status == 200


async def test_all_problems_come_at_once(post: Any) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, {"limit": "0", "offset": "x"}, data=b'{"b": 1, "a": 1}')
    problems = reply.body["error"]["details"]["validation_errors"]
    assert [problem["loc"] for problem in problems] == [
        ["query", "limit"],
        ["query", "offset"],
        ["body", "a"],
        ["body", "b"],
    ]


@pytest.mark.parametrize("data", [None, b"", b"{}", b' {"filters": {}, "sort": null, "select": []} '])
async def test_a_body_that_says_nothing_is_fine(post: Any, data: bytes | None) -> None:
    async with Emulator() as emulator:
        assert (await post(emulator, data=data)).status == 200


async def test_presigned_urls_that_are_not_wanted_are_fine(post: Any) -> None:
    async with Emulator() as emulator:
        assert (await post(emulator, data=b'{"return_presigned_urls": false}')).status == 200


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 200_000, b"null", b"[]", b'"text"', b" "])
async def test_a_body_that_is_no_json_object_is_refused(post: Any, data: bytes) -> None:
    assert await _error(post, data=data) == (422, "ValidationError")


async def test_an_unknown_body_key_is_refused(post: Any) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, data=b'{"limit": 5}')
    assert reply.body["error"]["details"]["validation_errors"] == [
        {"loc": ["body", "limit"], "msg": "limit is not permitted", "type": "extra_forbidden"}
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"search": 0}, ["search"]),
        ({"select": "status"}, ["select"]),
        ({"select": [7]}, ["select"]),
        ({"return_presigned_urls": 1}, ["return_presigned_urls"]),
        ({"sort": {}}, ["sort"]),
        ({"sort": "-created_at"}, ["sort"]),
        ({"sort": {"field": "a", "direction": "up"}}, ["sort"]),
        ({"sort": {"field": "a", "order": 1}}, ["sort"]),
        ({"filters": []}, ["filters"]),
        ({"filters": {"AND": []}}, ["filters", "AND"]),
        ({"filters": {"OR": {"a": 1}}}, ["filters", "OR"]),
        ({"filters": {"NOT": [7]}}, ["filters", "NOT", 0]),
        ({"filters": {"case_sensitive": "yes", "a": 1}}, ["filters", "case_sensitive"]),
        ({"filters": {"AND": [{"field": 7, "value": 1}]}}, ["filters", "AND", 0, "field"]),
        ({"filters": {"AND": [{"field": "a", "operator": "like", "value": 1}]}}, ["filters", "AND", 0, "operator"]),
        ({"filters": {"AND": [{"field": "a", "operator": "eq"}]}}, ["filters", "AND", 0, "value"]),
        ({"filters": {"AND": [{"field": "a", "value": 1, "boost": 2}]}}, ["filters", "AND", 0, "boost"]),
        ({"filters": {"AND": [{"field": "a", "operator": "regex", "value": "("}]}}, ["filters", "AND", 0, "value"]),
        ({"filters": {"AND": [{"field": "a", "operator": "in", "value": "x"}]}}, ["filters", "AND", 0, "value"]),
        ({"filters": {"AND": [{"field": "a", "operator": "gt", "value": None}]}}, ["filters", "AND", 0, "value"]),
        ({"filters": {"AND": [{"field": "a", "operator": "exists", "value": 1}]}}, ["filters", "AND", 0, "value"]),
    ],
)
async def test_what_the_api_would_refuse_is_refused_with_its_place(post: Any, body: Any, place: list[Any]) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, data=json.dumps(body).encode())
    assert (reply.status, reply.body["error"]["type"]) == (422, "ValidationError")
    assert [problem["loc"] for problem in reply.body["error"]["details"]["validation_errors"]] == [["body", *place]]


async def test_nan_is_no_json(post: Any) -> None:
    assert await _error(post, data=b'{"filters": {"a": NaN}}') == (422, "ValidationError")


def _nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"a": 1}
    for _ in range(levels - 1):
        tree = {"a": 1, "b": 2, "NOT": [{"field": "c", "value": 3}, tree]}
    return tree


async def test_filters_may_be_nested_up_to_a_limit(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        deep = await post(emulator, data=json.dumps({"filters": _nested(16)}).encode())
        deeper = await post(emulator, data=json.dumps({"filters": _nested(17)}).encode())
    assert (deep.status, deeper.status) == (200, 422)
    assert "nested" in deeper.body["error"]["message"]


async def test_filters_may_hold_conditions_up_to_a_limit(post: Any) -> None:
    async with Emulator(objects=1) as emulator:
        many = await post(emulator, data=json.dumps({"filters": {"OR": [{"a": 1}] * 500}}).encode())
        more = await post(emulator, data=json.dumps({"filters": {"OR": [{"a": 1}] * 501}}).encode())
    assert (many.status, more.status) == (200, 422)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/buckets/list", {"sorts": [{"field": "bucket_name"}]}),
        ("/v1/collections/col_emulator/documents/list", {"group_by": "place"}),
        ("/v1/collections/col_emulator/documents/list", {"return_vectors": True}),
    ],
)
async def test_what_is_published_and_not_supported_is_refused_instead_of_ignored(
    post: Any, path: str, body: dict[str, Any]
) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, path=path, data=json.dumps(body).encode())
    assert (reply.status, reply.body["error"]["type"]) == (501, "NotEnabledError")
    assert next(iter(body)) in reply.body["error"]["message"]


async def test_another_namespace_is_an_empty_list_with_a_warning(post: Any) -> None:
    async with Emulator(objects=3) as emulator:
        reply = await post(emulator, headers=OTHER)
    (warning,) = reply.body["warnings"]
    assert (reply.status, reply.body["results"], "X-Namespace-Unresolved" in reply.headers) == (200, [], True)
    assert (warning["resource"], warning["id"], warning["reason"]) == ("namespace", "ns_other", "unresolved")
    assert warning["next_step"]


@pytest.mark.parametrize("pagination", ["has_more", "page", "cursor"])
async def test_another_namespace_is_described_in_the_servers_shape(post: Any, pagination: str) -> None:
    async with Emulator(pagination=pagination) as emulator:
        ours, other = await post(emulator), await post(emulator, headers=OTHER)
    assert other.body["pagination"] == ours.body["pagination"]


async def test_our_own_namespace_has_no_warnings(post: Any) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator)
    assert "warnings" not in reply.body
    assert "X-Namespace-Unresolved" not in reply.headers


async def test_the_key_is_judged_before_the_namespace(post: Any) -> None:
    assert (await _error(post, headers={"Authorization": "x", "X-Namespace": ""}))[0] == 401


async def test_the_namespace_is_judged_before_the_endpoint(post: Any) -> None:
    assert (await _error(post, path="/", headers={"X-Namespace": ""}))[0] == 400


async def test_the_namespace_is_resolved_before_bucket_and_parameters(post: Any) -> None:
    async with Emulator() as emulator:
        reply = await post(emulator, {"limit": 0}, path="/v1/buckets/x/objects/list", headers=OTHER)
    assert reply.status == 200


async def test_the_bucket_is_judged_before_the_parameters(post: Any) -> None:
    assert (await _error(post, {"limit": 0}, path="/v1/buckets/x/objects/list"))[0] == 404


async def test_every_answer_has_a_request_id_of_its_own(post: Any) -> None:
    async with Emulator() as emulator:
        replies = [await post(emulator), await post(emulator, path="/"), await post(emulator)]
    assert len({reply.headers["X-Request-ID"] for reply in replies}) == 3
