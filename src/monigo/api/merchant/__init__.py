"""What a merchant's backend asks for: /v1, and /api/v1 for its dashboard."""
