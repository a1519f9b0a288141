-- A key of a client and the job that it stands for. It is written in the statement that makes the job,
-- so that there is no moment with one and not the other: who comes second waits for that commit.
-- Of the key and of the body only digests are kept (SHA-256): neither can be read here.
CREATE TABLE "idempotency_keys" (
    "org_id" UUID NOT NULL,
    "topic" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "key_digest" BYTEA NOT NULL,
    "body_digest" BYTEA NOT NULL,
    "job_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("org_id", "topic", "task", "key_digest"),
    CONSTRAINT "idempotency_keys_digests" CHECK (octet_length("key_digest") = 32 AND octet_length("body_digest") = 32)
);
CREATE INDEX "idempotency_keys_expiring" ON "idempotency_keys"("expires_at");

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON idempotency_keys TO headframe_api
    USING (org_id = ANY ((SELECT request_organizations())::uuid[]));
CREATE POLICY worker ON idempotency_keys TO headframe_worker USING (true);
-- An expired key that is still there is taken over: hence UPDATE.
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO headframe_api;
-- Expired ones are cleared away.
GRANT SELECT, UPDATE, DELETE ON idempotency_keys TO headframe_worker;
