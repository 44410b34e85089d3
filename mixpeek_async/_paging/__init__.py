"""From page to page: what an answer says about the next one, and where it begins. Pure, without I/O."""

from mixpeek_async._paging.checkpoint import ANCHORS, Checkpoint, Place, Scope, fingerprint
from mixpeek_async._paging.course import Accepted, Course
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.page import ReceivedPage

__all__ = [
    "ANCHORS",
    "Accepted",
    "Checkpoint",
    "Course",
    "Memory",
    "Place",
    "ReceivedPage",
    "Scope",
    "fingerprint",
]
