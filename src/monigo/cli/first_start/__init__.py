"""What the first start makes: a demo with its owner, and the file that tells how to begin."""
