"""A pager and its pages in a console: each says in one line what it is; a page is a collection of its objects."""

from support.clients import connect

from mixpeek_async import ApiWarning, Page, Pager, Pagination
from mixpeek_async.emulator import Emulator


async def test_a_pager_says_what_it_lists_and_how_far_it_is() -> None:
    async with (
        Emulator(objects=1_200) as emulator,
        connect(emulator) as client,
    ):
        pager = client.objects.list(emulator.bucket)
        assert repr(pager) == "<Pager of /v1/buckets/bkt_emulator/objects/list: not walked yet>"
        await pager.to_list()
        assert repr(pager) == "<Pager of /v1/buckets/bkt_emulator/objects/list: 1,200 items in 2 pages>"
        assert repr(await pager) == "<Page of 1,000 items, next_cursor='…'>"


def test_a_pager_that_is_half_built_can_be_shown() -> None:
    # copy.deepcopy makes one, fails at the client in it, and a traceback with locals shows it.
    assert repr(Pager.__new__(Pager)) == "<Pager>"


def test_a_page_says_how_many_items_it_has_and_whether_there_are_more() -> None:
    pagination = Pagination(has_more=True, page=1, total_pages=3, total=2_500)
    page = Page(results=[1, 2], pagination=pagination, warnings=[ApiWarning(reason="slow")])
    assert repr(page) == "<Page of 2 items, has_more=True, page=1, total_pages=3, total=2500, warnings=1>"
    assert repr(Page(results=[], pagination=Pagination())) == "<Page of 0 items>"


def test_a_page_can_be_iterated_and_has_a_length() -> None:
    page = Page(results=["a", "b"], pagination=Pagination())
    assert list(page) == ["a", "b"]
    assert len(page) == 2


def test_an_empty_page_is_still_a_page() -> None:
    assert Page(results=[], pagination=Pagination())
