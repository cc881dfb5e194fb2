"""Reports on the books."""
