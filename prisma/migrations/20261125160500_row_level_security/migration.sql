-- Isolation, third lock: whatever a statement forgets, the database shows a client's request the rows
-- of its own organizations and no others. Three roles, none of which can log in or owns anything; each
-- connection takes one of them as it is made:
--   * headframe_api: statements for clients. Sees the organizations that the transaction has named in
--     the setting headframe.organizations, and without one nothing.
--   * headframe_worker: claims, outcomes, reaping. Sees all, and may do just what these do.
--   * headframe_operator: the command line of operators. Limits only.
-- Roles belong to the whole server: several databases of this service share them.

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['headframe_api', 'headframe_worker', 'headframe_operator'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database of this server was quicker
        END;
        IF NOT pg_has_role(current_user, v_role, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', v_role);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), v_role);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the login % may not make the role %, or act as it', current_user, v_role
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Let an administrator of the server run, but for what is there already: '
                  'CREATE ROLE headframe_api NOLOGIN; CREATE ROLE headframe_worker NOLOGIN; CREATE ROLE headframe_operator NOLOGIN; '
                  'GRANT headframe_api, headframe_worker, headframe_operator TO ' || quote_ident(current_user) || ' WITH ADMIN OPTION; '
                  'then start again.';
END $$;

-- The organizations that this transaction acts for; null: none.
CREATE FUNCTION request_organizations() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT string_to_array(nullif(current_setting('headframe.organizations', true), ''), ',')::uuid[] $$;

-- FORCE, so that the owner is no exception. A later migration that has to read or write rows must lift
-- it for its own transaction (ALTER TABLE … NO FORCE ROW LEVEL SECURITY) and set it again.
--
-- The setting is read in a subquery of its own, and so once a statement instead of once a row.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['jobs', 'job_parameters', 'job_results', 'job_attempts', 'job_labels', 'job_logs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY organization ON %I TO headframe_api
                        USING (org_id = ANY ((SELECT request_organizations())::uuid[]))', v_table);
        EXECUTE format('CREATE POLICY worker ON %I TO headframe_worker USING (true)', v_table);
    END LOOP;
END $$;

ALTER TABLE organization_limits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- The nil UUID: what holds for all that have no limits of their own.
CREATE POLICY organization ON organization_limits FOR SELECT TO headframe_api
    USING (org_id = ANY ((SELECT request_organizations())::uuid[] || '00000000-0000-0000-0000-000000000000'::uuid));
CREATE POLICY worker ON organization_limits FOR SELECT TO headframe_worker USING (true);
CREATE POLICY operator ON organization_limits TO headframe_operator USING (true);

-- Submit, read, cancel.
GRANT SELECT, INSERT, UPDATE (status, ended_at, error, run_after, expires_at) ON jobs TO headframe_api;
GRANT INSERT ON job_parameters TO headframe_api;
GRANT SELECT, INSERT ON job_labels TO headframe_api;
GRANT SELECT ON job_results, job_attempts, job_logs, organization_limits TO headframe_api;

-- Claim, beat, report, end, reap.
GRANT SELECT, UPDATE ON jobs TO headframe_worker;
GRANT SELECT ON job_parameters, organization_limits, task_limits TO headframe_worker;
GRANT SELECT, INSERT ON job_results, job_attempts TO headframe_worker;
GRANT SELECT, INSERT, DELETE ON job_logs TO headframe_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON workers TO headframe_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON organization_limits, task_limits TO headframe_operator;
