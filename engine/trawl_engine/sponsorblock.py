"""What SponsorBlock knows of a video. Asked before the transfer, since nothing is fetched after it."""

from __future__ import annotations

from typing import Any

from yt_dlp.postprocessor.sponsorblock import SponsorBlockPP
from yt_dlp.utils import PostProcessingError

from .request import Request

DEFAULT_API = 'https://sponsor.ajay.app'


def look_up(ydl: Any, info: dict[str, Any], request: Request) -> None:
    """Adds `sponsorblock_chapters`. A service that does not answer costs the marks, not the download."""
    categories = dict.fromkeys((*request.sponsorblock_mark, *request.sponsorblock_remove))
    asked = SponsorBlockPP(ydl, tuple(categories), request.sponsorblock_api or DEFAULT_API)
    try:
        asked.run(info)
    except (PostProcessingError, ValueError, LookupError, TypeError, AttributeError) as error:
        ydl.report_warning(f'SponsorBlock does not answer: {error}')
