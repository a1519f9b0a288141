-- Lists of jobs read whole rows of job_submissions, which nobody may who may not read each column.
GRANT SELECT (traceparent) ON job_submissions TO headframe_api;
