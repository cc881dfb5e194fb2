-- Drafts and their lines change in place.

GRANT UPDATE ON invoice_line_items TO monigo_app;
