"""What a customer is owed."""
