import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning } from '../support/process-tasks.js';

const PROGRAMS = [
  '/usr/sbin/munged',
  '/usr/sbin/slurmctld',
  '/usr/sbin/slurmd',
  '/usr/bin/srun',
  '/usr/bin/scancel',
];
const START_MS = 60_000;

/** Whether Slurm is installed here (Debian: slurm-wlm, munge), and may be started: by root alone. */
export const hasSlurm = (): boolean =>
  PROGRAMS.every((program) => existsSync(program)) && process.getuid?.() === 0;

/** A Slurm cluster of this machine alone, with all that it needs in one temporary folder. */
export class Cluster {
  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'headframe-slurm-'));
    const cluster = new Cluster(folder);
    try {
      await cluster.begin();
    } catch (error) {
      const log = ['slurmctld.log', 'slurmd.log']
        .map((name) => join(folder, name))
        .filter((file) => existsSync(file))
        .map((file) => readFileSync(file, 'utf8'));
      await cluster.stop();
      throw new Error(`Slurm did not start.\n${log.join('\n')}`, { cause: error });
    }
    return cluster;
  }

  private constructor(private readonly folder: string) {}

  /** What its programs need in their environment. */
  get environment() {
    return { SLURM_CONF: join(this.folder, 'slurm.conf') };
  }

  /** The jobs of a name that it knows and that have not ended, with their states. */
  async queue(): Promise<{ name: string; state: string }[]> {
    const { stdout } = await promisify(execFile)('squeue', ['--noheader', '--format=%j %T'], {
      env: { ...process.env, ...this.environment },
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', state = ''] = line.split(' ');
        return { name, state };
      });
  }

  /** Ends its daemons, by their own files of process ids, and removes its folder. */
  async stop(): Promise<void> {
    for (const daemon of ['slurmd', 'slurmctld', 'munged']) {
      const file = join(this.folder, `${daemon}.pid`);
      const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      if (pid > 0 && isRunning(pid)) {
        process.kill(pid, 'SIGTERM');
        const deadline = Date.now() + 10_000;
        while (isRunning(pid) && Date.now() < deadline) {
          await sleep(50);
        }
        if (isRunning(pid)) {
          process.kill(pid, 'SIGKILL');
        }
      }
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async begin(): Promise<void> {
    const at = (name: string) => join(this.folder, name);
    for (const name of ['state', 'spool', 'socket']) {
      mkdirSync(at(name));
    }
    chmodSync(this.folder, 0o755);
    writeFileSync(at('key'), randomBytes(1024), { mode: 0o600 });
    writeFileSync(at('slurm.conf'), this.configuration(await freePort(), await freePort()));
    const environment = { ...process.env, ...this.environment };
    const options = { env: environment, stdio: 'ignore', timeout: START_MS } as const;
    const files = { key: 'key', socket: 'socket/munge', pid: 'munged.pid', log: 'munged.log' };
    execFileSync(
      '/usr/sbin/munged',
      [
        '--force',
        `--key-file=${at(files.key)}`,
        `--socket=${at(files.socket)}`,
        `--pid-file=${at(files.pid)}`,
        `--log-file=${at(files.log)}`,
        `--seed-file=${at('seed')}`,
      ],
      options,
    );
    execFileSync('/usr/sbin/slurmctld', ['-f', at('slurm.conf')], options);
    execFileSync('/usr/sbin/slurmd', ['-f', at('slurm.conf')], options);
    const deadline = Date.now() + START_MS;
    for (;;) {
      const { stdout } = await promisify(execFile)('sinfo', ['--noheader', '--format=%T'], {
        env: environment,
      });
      if (stdout.trim() === 'idle') {
        return;
      }
      if (Date.now() > deadline) {
        throw new Error(`Its node is ${stdout.trim()}.`);
      }
      await sleep(100);
    }
  }

  private configuration(controllerPort: number, nodePort: number): string {
    const host = hostname();
    const megabytes = Math.floor((totalmem() / 1024 ** 2) * 0.8);
    return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${this.folder}/socket/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
StateSaveLocation=${this.folder}/state
SlurmdSpoolDir=${this.folder}/spool
SlurmctldPidFile=${this.folder}/slurmctld.pid
SlurmdPidFile=${this.folder}/slurmd.pid
SlurmctldLogFile=${this.folder}/slurmctld.log
SlurmdLogFile=${this.folder}/slurmd.log
ReturnToService=2
KillWait=5
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=${megabytes} State=UNKNOWN
PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
