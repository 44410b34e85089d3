"""From page to page: what an answer says about the next one, and where it begins. Pure, without I/O."""

from mixpeek_async._paging.course import Course
from mixpeek_async._paging.memory import Memory
from mixpeek_async._paging.page import ReceivedPage

__all__ = ["Course", "Memory", "ReceivedPage"]
