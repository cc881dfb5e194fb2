-- Lines get the number of events that were not counted, because they had no number.

-- Buckets know it already: their events less their numbers. Of lines made before it is not known.
ALTER TABLE invoice_line_items ADD COLUMN uncounted_events bigint NOT NULL DEFAULT 0;
ALTER TABLE invoice_line_items ADD CONSTRAINT invoice_line_items_uncounted_are_of_events
    CHECK (uncounted_events BETWEEN 0 AND event_count);
