"""API keys, as people make and end them."""
