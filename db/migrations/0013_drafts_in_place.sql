-- Drafts and their lines change in place, with whatever points at them.

GRANT UPDATE ON invoice_line_items TO monigo_app;
