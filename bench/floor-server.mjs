// The peer that the service's HTTP figures are compared with: a bare Fastify that verifies the token
// and runs one named statement for each request, with a pool of the same size. It validates nothing,
// knows no organizations and keeps no queue: less cannot be done request by request.
import { createSecretKey, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import jwt from 'jsonwebtoken';
import pg from 'pg';

const key = createSecretKey(Buffer.from(process.env.AUTH_JWT_SECRET));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
await pool.query('CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY, parameters json)');
const app = Fastify();
app.addHook('onRequest', async (request) => {
  if (request.url.startsWith('/health/')) return;
  jwt.verify(request.headers.authorization.slice(7), key, { algorithms: ['HS256'] });
});
app.get('/jobs/:id', async (request) => {
  const { rows } = await pool.query({
    name: 'read',
    text: 'SELECT canceling, progress, message FROM job_leases WHERE job_id = $1',
    values: [request.params.id],
  });
  return rows[0];
});
app.post('/jobs', async (request, reply) => {
  await pool.query({
    name: 'write',
    text: 'INSERT INTO floor (id, parameters) VALUES ($1, $2)',
    values: [randomUUID(), JSON.stringify(request.body.parameters)],
  });
  return reply.status(303).send();
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
