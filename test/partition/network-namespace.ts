import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const IP = '/usr/sbin/ip';

/** Whether namespaces can be made here: by root alone, with `ip` (Debian: iproute2). */
export const mayMakeNamespaces = (): boolean => process.getuid?.() === 0 && existsSync(IP);

/** A network of its own, that reaches this one over a single link, as a machine's cable. */
export class NetworkNamespace {
  private readonly outside: string;
  private readonly inside: string;
  /** The address of this side of the link, from a range that is kept for measurements (RFC 2544). */
  readonly gateway: string;

  private constructor(readonly name: string) {
    this.outside = `hfo${process.pid}`;
    this.inside = `hfi${process.pid}`;
    this.gateway = `198.18.${process.pid % 256}.1`;
  }

  /** @throws with what `ip` says, when the kernel does not permit it */
  static make(): NetworkNamespace {
    const namespace = new NetworkNamespace(`headframe-${process.pid}`);
    try {
      namespace.begin();
    } catch (error) {
      namespace.remove();
      throw error;
    }
    return namespace;
  }

  /** What to put in front of a command so that it runs in there; its process id is the command's own. */
  get command(): string[] {
    return [IP, 'netns', 'exec', this.name];
  }

  /** From now on nothing passes, and neither side is told. */
  cutLink(): void {
    ip('-n', this.name, 'link', 'set', this.inside, 'down');
  }

  mendLink(): void {
    ip('-n', this.name, 'link', 'set', this.inside, 'up');
  }

  /** Removes what there is of it. */
  remove(): void {
    for (const words of [
      ['link', 'delete', this.outside],
      ['netns', 'delete', this.name],
    ]) {
      try {
        ip(...words);
      } catch {
        // It was not made, or is gone.
      }
    }
  }

  private begin(): void {
    const far = this.gateway.replace(/1$/, '2');
    ip('netns', 'add', this.name);
    ip(
      'link',
      'add',
      this.outside,
      'type',
      'veth',
      'peer',
      'name',
      this.inside,
      'netns',
      this.name,
    );
    ip('address', 'add', `${this.gateway}/30`, 'dev', this.outside);
    ip('link', 'set', this.outside, 'up');
    ip('-n', this.name, 'address', 'add', `${far}/30`, 'dev', this.inside);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
    ip('-n', this.name, 'link', 'set', this.inside, 'up');
  }
}

function ip(...words: string[]): void {
  execFileSync(IP, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
