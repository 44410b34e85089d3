"""Points on the earth, and the areas of the geo operators.

The API publishes the names of the operators and not the shapes of their values. The names are those of Qdrant, so the
shapes here are Qdrant's too:

* a point: `{"lat": …, "lon": …}`, in degrees
* `geo_radius`: `{"center": point, "radius": metres}`
* `geo_bounding_box`: `{"top_left": point, "bottom_right": point}`
* `geo_polygon`: `{"exterior": {"points": [point, …]}, "interiors": [{"points": […]}, …]}`; the interiors are holes
"""

from collections.abc import Sequence
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any

_EARTH = 6_371_000.0
"""Mean radius in metres."""


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_point(value: object) -> bool:
    return isinstance(value, dict) and _is_number(value.get("lat"), -90, 90) and _is_number(value.get("lon"), -180, 180)


def _is_ring(value: object) -> bool:
    points = value.get("points") if isinstance(value, dict) else None
    return isinstance(points, list) and len(points) >= 3 and all(map(_is_point, points))


def is_circle(area: Any) -> bool:
    """True if `in_circle` accepts `area`. The two functions below do the same for their own kind."""
    return isinstance(area, dict) and _is_point(area.get("center")) and _is_number(area.get("radius"), 0, float("inf"))


def is_box(area: Any) -> bool:
    return isinstance(area, dict) and _is_point(area.get("top_left")) and _is_point(area.get("bottom_right"))


def is_polygon(area: Any) -> bool:
    return isinstance(area, dict) and _is_ring(area.get("exterior")) and all(map(_is_ring, area.get("interiors") or []))


def in_circle(value: Any, area: Any) -> bool:
    """True if `value` is a point within `radius` metres of `center`."""
    if not _is_point(value):
        return False
    lat, lon, other_lat, other_lon = (
        radians(point[name]) for point in (value, area["center"]) for name in ("lat", "lon")
    )
    # The haversine formula. Rounding can give a little over 1, which asin refuses.
    half = sin((other_lat - lat) / 2) ** 2 + cos(lat) * cos(other_lat) * sin((other_lon - lon) / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half))) <= float(area["radius"])


def in_box(value: Any, area: Any) -> bool:
    """True if `value` is a point in the box. A box whose left is east of its right crosses the 180th meridian."""
    if not _is_point(value):
        return False
    top_left, bottom_right = area["top_left"], area["bottom_right"]
    left, right = top_left["lon"], bottom_right["lon"]
    east, west = value["lon"] >= left, value["lon"] <= right
    across = (east and west) if left <= right else (east or west)
    return bool(bottom_right["lat"] <= value["lat"] <= top_left["lat"] and across)


def in_polygon(value: Any, area: Any) -> bool:
    """True if `value` is a point inside the exterior and outside every hole."""
    if not _is_point(value) or not _in_ring(value, area["exterior"]["points"]):
        return False
    return not any(_in_ring(value, hole["points"]) for hole in area.get("interiors") or [])


def _in_ring(point: Any, ring: Sequence[Any]) -> bool:
    """True if a line from `point` to the north crosses an odd number of sides, on a flat map."""
    inside = False
    for one, other in pairwise([*ring, ring[0]]):
        if (one["lon"] > point["lon"]) != (other["lon"] > point["lon"]):
            share = (point["lon"] - one["lon"]) / (other["lon"] - one["lon"])
            inside ^= point["lat"] < one["lat"] + share * (other["lat"] - one["lat"])
    return inside
