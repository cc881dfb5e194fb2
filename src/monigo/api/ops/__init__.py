"""What operators and readers of the documentation ask for, without a key."""
