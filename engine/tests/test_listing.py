"""A playlist as pages of entries, and an entry as what a later child is given."""
import itertools

import pytest
import yt_dlp
from trawl_engine.downloader import numbered_entry
from trawl_engine.errors import EngineError
from trawl_engine.listing import Listing, slices, upload_date
from yt_dlp.utils import InAdvancePagedList, OnDemandPagedList, smuggle_url

PAGE = 'http://127.0.0.1/list'


class Site(yt_dlp.YoutubeDL):
    """Answers extract_info from a table instead of the network."""

    def __init__(self, answers):
        super().__init__({'quiet': True})
        self.answers, self.asked = answers, []

    def extract_info(self, url, **_):
        self.asked.append(url)
        return self.answers[url]


def playlist(entries, **more):
    return {'_type': 'playlist', 'id': 'p', 'title': 'A list', 'extractor_key': 'Generic', 'entries': entries, **more}


def reference(n, **more):
    return {'_type': 'url', 'url': f'http://127.0.0.1/{n}.mp4', 'id': str(n), 'title': f'Title {n}', **more}


def everything(listing, size=2):
    pages = []
    while True:
        page, last = listing.next_page(size)
        pages.append(page)
        if last:
            return list(itertools.chain(*pages))


def test_reads_no_more_of_an_endless_playlist_than_it_is_asked_for():
    read = []

    def endless():
        for n in itertools.count(1):
            read.append(n)
            yield reference(n)
    listing = Listing(Site({PAGE: playlist(endless())}), PAGE)
    page, last = listing.next_page(3)
    assert [entry['title'] for entry in page] == ['Title 1', 'Title 2', 'Title 3'] and not last
    assert read == [1, 2, 3]


@pytest.mark.parametrize('kind', (OnDemandPagedList, lambda get, size: InAdvancePagedList(get, 5, size)))
def test_asks_paged_lists_for_slices(kind):
    asked = []

    def page(number):
        asked.append(number)
        return [reference(number * 25 + i) for i in range(25 if number < 4 else 7)]
    entries = slices(kind(page, 25))
    assert [entry['id'] for entry in itertools.islice(entries, 3)] == ['0', '1', '2']
    assert asked == [0, 1]
    assert sum(1 for _ in entries) == 4 * 25 + 7 - 3


def test_numbers_entries_through_holes_and_inline_sections():
    inner = playlist([reference(3), reference(4)], webpage_url='http://127.0.0.1/inner')
    found = everything(Listing(Site({PAGE: playlist([reference(1), None, inner, reference(5)])}), PAGE))
    assert [(entry['index'], entry['id']) for entry in found] == [(1, '1'), (3, '3'), (4, '4'), (5, '5')]


def test_opens_the_tabs_of_a_channel_once_each():
    tab = 'https://www.youtube.com/@someone/videos'
    channel = playlist([{'_type': 'url', 'url': tab, 'ie_key': 'YoutubeTab'}] * 2, extractor_key='YoutubeTab')
    video = {'_type': 'url', 'url': 'https://www.youtube.com/watch?v=jNQXAC9IVRw', 'ie_key': 'Youtube', 'id': 'jNQXAC9IVRw'}
    site = Site({PAGE: channel, tab: playlist([video], extractor_key='YoutubeTab')})
    found = everything(Listing(site, PAGE))
    assert [(entry['id'], entry['extractor']) for entry in found] == [('jNQXAC9IVRw', 'Youtube')]
    assert site.asked == [PAGE, tab]


def test_a_single_medium_is_no_playlist():
    with pytest.raises(EngineError) as refused:
        Listing(Site({PAGE: {'id': 'x', 'url': 'http://127.0.0.1/x.mp4'}}), PAGE)
    assert refused.value.reason == 'not_a_playlist'


def test_an_entry_keeps_what_its_feed_says_and_shows_a_clean_address():
    smuggled = smuggle_url('http://127.0.0.1/1.mp3', {'force_videoid': 'guid'})
    feed = playlist([{'_type': 'url_transparent', 'url': smuggled, 'title': 'Episode', 'timestamp': 1700000000, 'duration': None}])
    entry, = everything(Listing(Site({PAGE: feed}), PAGE))
    assert entry['url'] == 'http://127.0.0.1/1.mp3'
    assert entry['upload_date'] == '20231114'
    assert entry['target'] == {'url': smuggled, 'fields': {'title': 'Episode', 'timestamp': 1700000000}}


def test_an_entry_without_an_address_is_its_page_and_its_place():
    found = everything(Listing(Site({PAGE: playlist([{'id': 'a', 'formats': []}, {'id': 'b', 'formats': []}])}), PAGE))
    assert [(entry['url'], entry['target']) for entry in found] == [(PAGE, {'item': 1, 'item_id': 'a'}), (PAGE, {'item': 2, 'item_id': 'b'})]


def test_takes_an_entry_by_its_id_also_after_it_moved():
    page = [{'id': 'new'}, {'id': 'a'}, None, {'id': 'b'}]
    assert numbered_entry(page, 1, 'a') == {'id': 'a'}
    assert numbered_entry([{'title': 'x'}, {'title': 'y'}], 2, '') == {'title': 'y'}
    with pytest.raises(EngineError) as gone:
        numbered_entry(page, 1, 'c')
    assert gone.value.reason == 'entry_gone'


def test_a_date_that_is_none_is_nothing():
    assert [upload_date(entry) for entry in ({'upload_date': '20240229'}, {'upload_date': 'soon'}, {'timestamp': 1e20}, {})] == ['20240229', '', '', '']
