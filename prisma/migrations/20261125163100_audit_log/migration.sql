-- Who did what, from where. Each entry is written in the statement that does it: neither is there
-- without the other. The id is a UUIDv7, that of a submit the job's own, so that a job costs no more
-- than one entry in one index.
CREATE TABLE "audit_log" (
    "org_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "action" TEXT NOT NULL,
    "subject" TEXT,
    "client" TEXT,
    "job_id" UUID,
    "topic" TEXT,
    "task" TEXT,
    "address" TEXT,
    "request_id" TEXT,
    "detail" JSON,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("org_id", "id"),
    CONSTRAINT "audit_log_action" CHECK ("action" ~ '^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$'),
    CONSTRAINT "audit_log_bounded" CHECK (octet_length("subject") <= 1024 AND octet_length("client") <= 1024
        AND octet_length("address") <= 64 AND octet_length("request_id") <= 128)
);

-- Append-only. No role of the service is granted more than below; this holds for the owner, too. Entries
-- of more than 90 days may be deleted by the owner: how long they are kept beyond that is for the operator.
CREATE FUNCTION refuse_to_change_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege',
        HINT = 'Entries may be deleted, by the owner of the table, when they are more than 90 days old.';
END $$;
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE ON "audit_log"
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_audit_log();
CREATE TRIGGER "audit_log_no_truncate" BEFORE TRUNCATE ON "audit_log"
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_log();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON audit_log TO headframe_api
    USING (org_id = ANY ((SELECT request_organizations())::uuid[]));
CREATE POLICY operator ON audit_log TO headframe_operator USING (true);
GRANT SELECT, INSERT ON audit_log TO headframe_api;
GRANT SELECT, INSERT ON audit_log TO headframe_operator;
