-- How many jobs a worker runs at once, to be shown; null: it does not say (a build of before).
ALTER TABLE workers ADD COLUMN slots integer,
    ADD CONSTRAINT workers_slots_positive CHECK (slots >= 1);
