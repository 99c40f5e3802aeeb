"""YouTube's Shorts are videos with another address."""
import pytest
from yt_dlp.extractor import get_info_extractor


@pytest.mark.parametrize('url', ['https://www.youtube.com/shorts/BGQWPY4IigY', 'https://youtube.com/shorts/BGQWPY4IigY?feature=share',
                                 'https://m.youtube.com/shorts/BGQWPY4IigY'])
def test_a_short_is_the_video_of_its_id(url):
    youtube = get_info_extractor('Youtube')
    assert youtube.suitable(url) and youtube._match_id(url) == 'BGQWPY4IigY'
    assert not get_info_extractor('YoutubeTab').suitable(url)
