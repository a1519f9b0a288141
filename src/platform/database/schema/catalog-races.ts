import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from 'pg';

const TRIES = 40;
const MAX_WAIT_MS = 250;

/**
 * Repeats what failed only because another database of the same server changed the roles at that
 * moment. Roles belong to the whole server, and the migration lock to one database, so it cannot keep
 * two databases apart.
 * @param statement safe to repeat: a whole transaction, or one that looks before it changes
 * @throws what the statement throws for any other reason, or still throws after 40 tries
 */
export async function outlastRaces<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await statement();
    } catch (error) {
      if (!isRace(error) || attempt === TRIES) {
        throw error;
      }
      await sleep(Math.random() * Math.min(MAX_WAIT_MS, 10 * attempt));
    }
  }
}

/**
 * The ways in which a role, its memberships or a grant are lost to another session: it was made in
 * between (by its name, or by the index of its name), or its row was changed under this statement.
 */
function isRace(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) {
    return false;
  }
  const { code, routine, table, constraint, message } = error;
  switch (code ?? '') {
    case '42710':
      return routine === 'CreateRole';
    case '23505':
      return /^pg_(authid|auth_members)/.test(table ?? constraint ?? '');
    case 'XX000': // not translated: the server's internal errors never are
      return /tuple (concurrently|already) (updated|deleted)/.test(message);
    case '40001':
    case '40P01':
      return true;
    default:
      return false;
  }
}
