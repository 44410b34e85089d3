"""The vendor's client: its generated list call in a loop. It has neither async nor a pager."""

import importlib

__all__ = ["walk"]


def walk(url: str, bucket: str) -> int:
    """Every object by cursor, as the client's own models."""
    mixpeek = importlib.import_module("mixpeek")
    apis = importlib.import_module("mixpeek.api.bucket_objects_api")
    objects, cursor = 0, None
    settings = mixpeek.Configuration(host=url, access_token="sk_benchmark")
    with mixpeek.ApiClient(settings, header_name="X-Namespace", header_value="benchmark") as client:
        listing = apis.BucketObjectsApi(client)
        while True:
            page = listing.list_objects_buckets(bucket, limit=1000, cursor=cursor)
            for obj in page.results:
                _ = obj.object_id, obj.status, obj.created_at
                objects += 1
            cursor = page.pagination.next_cursor
            if not cursor:
                return objects
