"""A customer's invoices, and paying them."""
