-- A replica asks what the schema is before it works with it, in the right of its roles. The table is
-- not there where Prisma's tools try the migrations on an empty database.
DO $$
BEGIN
    IF to_regclass('_prisma_migrations') IS NOT NULL THEN
        GRANT SELECT ON _prisma_migrations TO headframe_api, headframe_worker;
    END IF;
END $$;
