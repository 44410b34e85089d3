"""From page to page: what an answer says about the next one, and where it begins. Pure, without I/O."""

from mixpeek_async._paging.checkpoint import Checkpoint, Place, Scope
from mixpeek_async._paging.course import Accepted, Course
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.page import ReceivedPage
from mixpeek_async._paging.sizing import is_too_large, may_be_too_large
from mixpeek_async._paging.trail import Trail

__all__ = [
    "Accepted",
    "Checkpoint",
    "Course",
    "Memory",
    "Place",
    "ReceivedPage",
    "Scope",
    "Trail",
    "is_too_large",
    "may_be_too_large",
]
