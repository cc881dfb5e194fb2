"""Provider events: what providers said of their own accord."""
