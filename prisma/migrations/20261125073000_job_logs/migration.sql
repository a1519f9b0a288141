-- What the commands of process tasks write to standard error, piece by piece: written through the
-- fence in batches, read page by page in the order of the key. The oldest pieces of an attempt are
-- deleted when it has more than it may keep. No foreign key, for the reason of the other tables.
CREATE TABLE "job_logs" (
    "job_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "org_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "text" TEXT NOT NULL,

    CONSTRAINT "job_logs_pkey" PRIMARY KEY ("job_id", "attempt", "number"),
    CONSTRAINT "job_logs_numbered" CHECK ("attempt" >= 1 AND "number" >= 1),
    CONSTRAINT "job_logs_small_pieces" CHECK (char_length("text") BETWEEN 1 AND 16384)
);
