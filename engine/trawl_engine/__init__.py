"""The Python half of Trawl's engine: a warm yt-dlp that forks one child per download."""
