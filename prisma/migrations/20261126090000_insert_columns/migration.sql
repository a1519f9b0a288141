-- Requests of clients may set what a submit sets, column by column, and no more: no lease, no status, no
-- attempt, and no time of an audit entry. A column that a later migration adds is theirs only if it says so.
REVOKE INSERT ON jobs, job_parameters, job_labels, audit_log, idempotency_keys FROM headframe_api;
REVOKE UPDATE ON idempotency_keys FROM headframe_api;
GRANT INSERT (id, org_id, topic, task, max_attempts, priority, timeout_seconds, run_after, expires_at)
    ON jobs TO headframe_api;
GRANT INSERT (job_id, org_id, parameters, bytes) ON job_parameters TO headframe_api;
GRANT INSERT (job_id, org_id, name, value) ON job_labels TO headframe_api;
GRANT INSERT (org_id, id, action, subject, client, job_id, topic, task, address, request_id)
    ON audit_log TO headframe_api;
GRANT INSERT (org_id, topic, task, key_digest, body_digest, job_id, expires_at)
    ON idempotency_keys TO headframe_api;
GRANT UPDATE (body_digest, job_id, expires_at) ON idempotency_keys TO headframe_api;
