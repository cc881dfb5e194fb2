"""Payment connections."""
