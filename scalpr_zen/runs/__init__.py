"""One run: its spec, its result, the look-ahead proof."""
