"""The banks and networks that payouts go to."""
