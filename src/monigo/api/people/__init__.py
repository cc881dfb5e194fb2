"""What people ask for: to sign in, and to decide who may act for their organisations."""
