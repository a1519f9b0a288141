/** A UUID in its canonical form: lower case, with hyphens (RFC 9562, 4). */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The same, in either case: as people and tokens may spell it. */
export const UUID_ANY_CASE = new RegExp(UUID.source, 'i');

/** The nil UUID (RFC 9562, 5.9): in an organization's place, all organizations that have no row of their own. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
