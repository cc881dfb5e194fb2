"""Messages to customers in the organisation's name: occasions to write, and mails."""
