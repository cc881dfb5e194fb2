"""The test clock."""
