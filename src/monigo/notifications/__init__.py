"""What customers are told in the organisation's name: occasions to write, and mails."""
