-- Drafts and their lines change in place. A line that moved into a final invoice would change that one,
-- so that an update is held to both: what the line was part of, and what it becomes part of.

GRANT UPDATE ON invoice_line_items TO monigo_app;

CREATE TRIGGER keep_final_lines_from_arrival AFTER UPDATE ON invoice_line_items
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION keep_final_lines();
