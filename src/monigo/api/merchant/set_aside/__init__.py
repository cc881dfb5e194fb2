"""Due work that failed."""
