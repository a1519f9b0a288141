-- The place of a job's submit in a trace (W3C Trace Context), for its attempts to go on with, which happen
-- later and in other processes. Written only where somebody traces: else it is null, and takes no room.
ALTER TABLE "job_submissions" ADD COLUMN     "traceparent" TEXT;

-- Not validated: of the rows that are there all are null, and a look at each would hold up what writes.
ALTER TABLE job_submissions ADD CONSTRAINT job_submissions_traceparent_short
    CHECK (length(traceparent) <= 64) NOT VALID;

GRANT INSERT (traceparent) ON job_submissions TO headframe_api;
