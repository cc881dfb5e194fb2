"""Usage events and what is made of them."""
