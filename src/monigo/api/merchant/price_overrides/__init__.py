"""Price overrides."""
