"""What the first start makes: a demo with its owner, and the file of credentials."""
