"""Plans, their prices and revisions."""
