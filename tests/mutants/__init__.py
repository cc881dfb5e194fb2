"""Changes of the product that tests are to notice; see README.md."""
