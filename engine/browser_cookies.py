"""Prints the cookies of a browser of this machine as Netscape text: browser_cookies.py YTDLP_PATH BROWSER PROFILE."""

from __future__ import annotations

import sys


def main() -> int:
    ytdlp_path, browser, profile = sys.argv[1:4]
    if ytdlp_path:
        sys.path.insert(0, ytdlp_path)
    from yt_dlp.cookies import extract_cookies_from_browser

    jar = extract_cookies_from_browser(browser, profile or None)
    for cookie in jar:
        # A session cookie has no expiry; the format writes that as 0.
        fields = (cookie.domain, 'TRUE' if cookie.domain.startswith('.') else 'FALSE', cookie.path or '/',
                  'TRUE' if cookie.secure else 'FALSE', str(int(cookie.expires or 0)), cookie.name, cookie.value or '')
        print('\t'.join(fields))
    return 0


if __name__ == '__main__':
    sys.exit(main())
