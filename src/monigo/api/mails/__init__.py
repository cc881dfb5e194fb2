"""What the recipients of mails to customers open."""
